"""What a card says of making an artifact again gives the same configuration, as an asset and on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nsmodels.__main__ import main
from nsmodels.core import artifact, discover
from nsmodels.core.artifact import Manifest
from nsmodels.core.config import Config, as_yaml, flat, is_seed, parse_yaml
from nsmodels.paper.recipes import command, command_with, has_preset, preset_of, settings
from tests.shared import Shared

MARKS = {"renderer_version", "local_fingerprint"}


def chosen(manifest: Manifest) -> dict[str, Any]:
    """The fields of a manifest's configuration."""
    return {name: value for name, value in flat(manifest.config).items() if name not in MARKS}


def read(manifest: Manifest, folder: Path, capsys: pytest.CaptureFixture) -> dict[str, Any]:
    """What the command line of a card takes its file for, with the configuration of the card in it."""
    path = folder / "config.yaml"
    path.write_text(as_yaml(settings(manifest)), encoding="utf-8")
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main([*command_with(manifest, str(path)).split(" ")[1:], "--print-config"])
    assert not ended.value.code
    return flat(parse_yaml(capsys.readouterr().out, "printed"))


@pytest.mark.parametrize("name", discover.datasets())
def test_data_are_made_again(name: str, shared: Shared, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    manifest = artifact.read_manifest(shared.data(name))
    assert preset_of(manifest).label == "debug"
    assert not MARKS & flat(settings(manifest)).keys()
    assert not any(mark in command(manifest) for mark in MARKS)
    assert chosen(manifest).items() <= read(manifest, tmp_path, capsys).items()


@pytest.mark.parametrize("name", discover.systems())
def test_a_model_is_trained_again(name: str, shared: Shared, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    manifest = artifact.read_manifest(shared.model(name))
    assert preset_of(manifest).label == "debug"
    assert chosen(manifest).items() <= read(manifest, tmp_path, capsys).items()


def test_silence_about_a_field_that_came_later_is_its_default(
    shared: Shared, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    manifest = artifact.read_manifest(shared.model("visual"))
    quick: Config = discover.system("visual").stages[0].presets["quick"]()
    of_quick = manifest.model_copy(update={"config": quick.with_values({"has_export": False}).relevant()})
    assert "has_export" not in of_quick.config
    assert (preset_of(of_quick).name, dict(preset_of(of_quick).changed)) == ("quick", {"has_export": False})
    assert '"has_export": false' in command(of_quick)
    assert read(of_quick, tmp_path, capsys)["has_export"] is False


@pytest.mark.parametrize("name", discover.systems())
def test_a_study_whose_model_is_a_name_has_a_preset(name: str, shared: Shared) -> None:
    about = {"maker": discover.system(name).package, "kind": "study: encoders", "config": {"model": "resnet"}}
    study = artifact.read_manifest(shared.data("clevr")).model_copy(update=about)
    assert preset_of(study).name


@pytest.mark.parametrize("name", discover.systems())
def test_a_study_has_no_preset_but_its_own(name: str, shared: Shared) -> None:
    system = discover.system(name)
    studies = getattr(discover.module("systems", name, "__main__"), "STUDIES", {})
    kinds = [each.presets for each in studies.values()] + list(system.reports.values())
    sealed = artifact.read_manifest(shared.data("clevr"))
    for presets in kinds:
        made = {preset: presets[preset]().relevant() for preset in presets}
        for config in made.values():
            about = {"maker": system.package, "kind": "study: any", "config": config}
            study = sealed.model_copy(update=about)
            equal = {other for other, values in made.items() if _without_seeds(values) == _without_seeds(config)}
            assert {other for other in made if has_preset(study, other)} == equal
            assert preset_of(study).name in equal


def _without_seeds(config: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in flat(config).items() if not is_seed(name)}


def test_a_folder_that_is_not_recorded_is_to_be_given(tmp_path: Path, shared: Shared) -> None:
    manifest = artifact.read_manifest(shared.data("clevr"))
    local = manifest.model_copy(update={"config": {"source": "local", "local_fingerprint": "0" * 16}})
    assert '"local_path": "YOUR_DATA"' in command(local)
    assert "--local-path YOUR_DATA" in command_with(local, "config.yaml")
