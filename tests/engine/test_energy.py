"""Energy of a training by counters: packages are added, wraps noticed, nothing is put in place of none."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from nsmodels.engine.session import energy
from nsmodels.engine.session.energy import CPU, Counter, Meter

DEVICE = torch.device("cpu")


def package(root: Path, name: str, joules: float, range: float = 1000.0) -> Path:
    place = root / name
    place.mkdir(parents=True, exist_ok=True)
    (place / "energy_uj").write_text(f"{round(joules * 1e6)}\n")
    (place / "max_energy_range_uj").write_text(f"{round(range * 1e6)}\n")
    return place


def test_packages_are_added_and_their_parts_are_not(tmp_path: Path) -> None:
    for name in ("intel-rapl:0", "intel-rapl:1", "intel-rapl:0:0", "dtpm"):
        package(tmp_path, name, 100)
    meter = energy.meter(DEVICE, root=tmp_path)
    for name in ("intel-rapl:0", "intel-rapl:1", "intel-rapl:0:0"):
        package(tmp_path, name, 130)
    assert meter.joules == {CPU: pytest.approx(60)}


def test_what_was_counted_is_named_and_so_is_what_was_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert energy.meter(DEVICE, root=tmp_path).counted == ""
    for number, name in enumerate(("package-0", "package-1", "psys")):  # psys: the whole machine, packages included
        (package(tmp_path, f"intel-rapl:{number}", 100) / "name").write_text(f"{name}\n")
    meter = energy.meter(DEVICE, root=tmp_path)
    for number in range(3):
        package(tmp_path, f"intel-rapl:{number}", 130)
    assert meter.joules == {CPU: pytest.approx(60)}
    assert meter.counted == "package-0, package-1"
    assert energy.meter(torch.device("cuda", 0), root=tmp_path).counted == "package-0, package-1; without gpu"
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    assert energy.meter(DEVICE, root=tmp_path, num_processes=2).counted == "package-0, package-1"
    several = energy.meter(DEVICE, root=tmp_path, num_processes=4)
    assert several.counted == "package-0, package-1; without other machines"


def test_a_counter_that_starts_again_goes_on() -> None:
    values = iter([900.0, 950.0, 20.0, 30.0])
    counter = Counter(lambda: next(values), 1000.0)
    assert [counter.joules for _ in range(3)] == [50.0, 120.0, 130.0]


def test_a_machine_without_counters_measures_nothing(tmp_path: Path) -> None:
    assert energy.meter(DEVICE, root=tmp_path / "none").joules == {}
    (package(tmp_path, "intel-rapl:0", 1) / "energy_uj").unlink()
    assert energy.meter(DEVICE, root=tmp_path).joules == {}


def test_sittings_are_added_only_where_all_of_them_were_measured() -> None:
    def counters() -> dict[str, list[Counter]]:
        values = iter([0.0, 5.0])
        return {CPU: [Counter(lambda: next(values))]}

    assert Meter(counters()).joules == {CPU: 5.0}
    assert Meter(counters(), {CPU: 7.0}).joules == {CPU: 12.0}
    assert Meter(counters(), {}).joules == {}
    assert Meter({}, {CPU: 7.0}).joules == {}
