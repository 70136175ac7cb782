"""The contract of every system, parametrised over the registry: nothing in here names one."""

from __future__ import annotations

import json
import math
import os
import re
import shlex
import shutil
import signal
import zipfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

import nsmodels
from nsmodels.__main__ import main
from nsmodels.commands import compilation
from nsmodels.core import artifact, discover, disk
from nsmodels.core.config import Config
from nsmodels.core.errors import InputError
from nsmodels.core.orders import Inputs, Order
from nsmodels.engine import checkpoint, phase
from nsmodels.engine.phases import Phases
from nsmodels.engine.system import Stage, System
from nsmodels.evaluation import ledger
from nsmodels.evaluation.outcomes import files_of, read_outcomes
from tests.children import Child, ranks, signal_at_save
from tests.engine import toy
from tests.shared import Shared, Trained

pytestmark = pytest.mark.usefixtures("one_thread")

NAMES = discover.systems()
# Every system on every dataset that it can be trained on.
FIRST = [(name, discover.system(name).datasets[0]) for name in NAMES]
PAIRS = [(name, dataset) for name in NAMES for dataset in discover.system(name).datasets]
# Golden losses of the project, and of extensions.
GOLDEN = [Path(__file__).parents[1] / "golden", *(root / "tests" / "golden" for root in discover.extensions())]
# Processors with other vector units sum in another order, and steps amplify that rounding: between a Xeon and an EPYC
# the mean of the first epoch differs by less than 1e-4, that of a later one by up to 2.6e-3. A change of data, model or
# loss moves the first epoch by far more.
TOLERANCE, LATER = 1e-4, 5e-3


@pytest.fixture(scope="module", params=PAIRS, ids="-".join)
def trained(request, shared: Shared) -> Trained:
    return shared.trained(*request.param)


@pytest.fixture(scope="module", params=FIRST, ids="-".join)
def first(request, shared: Shared) -> Trained:
    """Trained on the first of its datasets: for what depends on the system and takes long."""
    return shared.trained(*request.param)


@pytest.fixture
def copied(first: Trained, tmp_path: Path) -> Trained:
    """The same checkpoints in a folder that may be changed."""
    shutil.copytree(first.root, tmp_path / "copied")
    return replace(first, root=tmp_path / "copied")


def history(folder: Path) -> dict[str, list[Any]]:
    """The epochs of each phase, without the time they took, and columns of plain numbers beside them."""
    found: Any = json.loads((folder / "history.json").read_text())
    phases = found if isinstance(found, dict) else {"": found}
    return {name: toy.losses(rows) if isinstance(rows[0], dict) else rows for name, rows in phases.items()}


def losses(folder: Path) -> dict[str, list[float]]:
    """The training losses of each phase, epoch by epoch."""
    phases = {name: rows for name, rows in history(folder).items() if isinstance(rows[0], dict)}
    return {phase: [epoch["train/loss"] for epoch in epochs] for phase, epochs in phases.items()}


@pytest.mark.parametrize("name", NAMES)
def test_it_describes_itself(name: str) -> None:
    system = discover.system(name)
    assert system.name == name
    assert (discover.folder("systems", name) / "README.md").is_file()
    assert isinstance(system.code_version, str)
    assert isinstance(system.evaluation_version, str)
    assert set(system.datasets) <= set(discover.datasets())
    assert set(system.metrics) == set(system.phases) >= set(system.sections)
    assert len(set(system.phases)) == len(system.phases)
    for stage in system.stages:
        assert stage.starts_from is None or stage.starts_from in {each.name for each in system.stages}
        assert {"debug", "quick", "base", "paper"} <= stage.presets.keys()
        for label, preset in stage.presets.items():
            assert isinstance(preset(), Config)
            assert preset.__doc__, f"preset {label} says nothing of data, time and score"


def test_the_installation_takes_a_step_of_every_network(trained: Trained) -> None:
    compilation.take_steps(trained.name, trained.dataset, trained.data)


def test_debug_gives_sealed_checkpoints(trained: Trained) -> None:
    data = artifact.read_manifest(trained.data)
    for stage in trained.system.stages:
        manifest = artifact.verify(trained.folder_of(stage))
        assert manifest.maker == f"nsmodels.systems.{trained.name}"
        assert manifest.code_version == trained.system.code_version
        roles = {record.role: record.fingerprint for record in manifest.inputs.values()}
        parent = {} if stage.starts_from is None else {"parent": fingerprint_of(trained, stage.starts_from)}
        assert roles == {"data": data.fingerprint, **parent}
        assert manifest.source == data.source
        assert manifest.cpu_seconds < 60
        assert all(math.isfinite(value) for value in manifest.metrics.values() if isinstance(value, float))


def test_a_dry_run_names_what_would_be_done_and_writes_nothing(first: Trained, capsys) -> None:
    def states() -> dict[Path, int]:
        places = [*first.root.rglob("*"), *first.data.rglob("*")]
        return {path: path.stat().st_mtime_ns for path in places if not path.name.endswith("lock")}

    stage, before = first.system.stages[0], states()
    assert main([*first.command(stage), "--dry-run"]) == 0
    assert f"{first.folder_of(stage)}: would be reused: sealed " in capsys.readouterr().out
    assert main([*first.command(stage), "--seed", "77", "--dry-run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert f"{first.folder_of(stage)}: would be built" in lines
    assert any("would replace the one sealed " in line and "training.seed 42 -> 77" in line for line in lines)
    config = first.config_of(stage)
    for phase_name in first.system.enabled(stage, config):
        assert any(line.startswith(f"{phase_name}: ") for line in lines)
    assert lines[-1] == "nothing was written"
    assert states() == before


def test_it_declares_what_its_trainings_report(trained: Trained) -> None:
    others = ("epoch", "step", "lr", "seconds", "samples_per_second")
    for stage in trained.system.stages:
        for phase_name, rows in history(trained.folder_of(stage)).items():
            if phase_name and isinstance(rows[0], dict):
                declared = ["loss", *trained.system.metrics_of(phase_name, trained.config_of(stage))]
                names = {
                    each for name in declared for each in ([name] if "/" in name else [f"train/{name}", f"val/{name}"])
                }
                assert names == {name for name in rows[0] if name not in others}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("values", "line"),
    [
        (
            {"monitor": "val/los"},
            r"training\.monitor: no metric 'val/los' \(there are: val/loss, .*; did you mean val/loss\?",
        ),
        ({"monitor": "nothing"}, r"training\.monitor: no metric 'nothing'"),
        ({"device": "cuda:77"}, "device: 'cuda:77' requested, but torch finds"),
    ],
)
def test_an_impossible_training_is_refused_before_its_data_are_read(
    name: str, values: dict[str, Any], line: str, tmp_path: Path
) -> None:
    system = discover.system(name)
    for stage in system.stages:
        phases = system.enabled(stage, stage.presets["debug"]())
        sections = {system.sections.get(each, "training") for each in phases if "monitor" in values}
        for section in sections or {"training"}:
            config = stage.presets["debug"]().with_values({section: values})
            with pytest.raises(InputError, match=line):
                system.check_config(config, stage.name or None)
            data = tmp_path / "no_data"
            data.mkdir(exist_ok=True)
            parent = ("parent", data) if stage.starts_from else None
            order = Order("model", config, Inputs.of(data, parent=parent), tmp_path / "out")
            with pytest.raises(InputError, match=line):
                system.train(order, stage.name or None)
            assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", NAMES)
def test_a_curriculum_is_refused_where_there_is_none(name: str) -> None:
    system = discover.system(name)
    for stage in system.stages:
        made = stage.presets["debug"]()
        if system.has_curriculum:
            system.check_config(made.with_values({"training": {"curriculum": True}}), stage.name or None)
            continue
        with pytest.raises(InputError, match=r"training\.curriculum: .* has none"):
            system.check_config(made.with_values({"training": {"curriculum": True}}), stage.name or None)


def phases_of(trained: Trained, stage: Stage) -> tuple[str, ...]:
    """The phases of a checkpoint."""
    return trained.system.enabled(stage, trained.config_of(stage))


def fingerprint_of(trained: Trained, stage: str) -> str:
    return artifact.read_manifest(trained.folder_of(trained.system.stage(stage))).fingerprint


def test_weights_load_without_running_code(trained: Trained) -> None:
    paths = list(trained.root.rglob("*.pt"))
    assert paths
    for path in paths:
        payload = torch.load(path, weights_only=True)
        states = {"model_state_dict", "optimizer_state_dict", "scheduler_state_dict"}
        assert states | {"epoch", "val_metrics", "args", "config"} <= payload.keys(), path


def all_losses(trained: Trained) -> dict[str, list[float]]:
    """Of every phase of every stage."""
    found = [losses(trained.folder_of(stage)) for stage in trained.system.stages]
    return {phase: values for each in found for phase, values in each.items()}


def test_first_losses_are_the_golden_ones(trained: Trained) -> None:
    found, is_usual = all_losses(trained), trained.dataset == trained.system.datasets[0]
    name = trained.name if is_usual else f"{trained.name}_{trained.dataset}"
    (file,) = [folder / f"{name}.json" for folder in GOLDEN if (folder / f"{name}.json").exists()]
    wanted = json.loads(file.read_text())
    assert {phase: len(values) for phase, values in found.items()} == {p: len(v) for p, v in wanted.items()}
    for name, (start, *later) in wanted.items():
        assert found[name][0] == pytest.approx(start, rel=TOLERANCE), json.dumps(found)
        assert found[name][1:] == pytest.approx(later, rel=LATER), json.dumps(found)


@pytest.mark.parametrize("name", NAMES)
def test_data_of_a_different_dataset_are_named(name: str, tmp_path: Path, capsys) -> None:
    system = discover.system(name)
    other = next(each for each in discover.datasets() if each not in system.datasets)
    data = tmp_path / "data"
    artifact.made(data, False, lambda part: (part.path / "one").touch(), **_recipe(other))
    line = f"{data}: holds data of {other}; {name} takes data of {' or '.join(system.datasets)}: give a folder of these"
    stage = system.stages[0]
    words = [name, "train", *([stage.name] if len(system.stages) > 1 else []), "--preset", "debug"]
    for command in (words, [*words, "--dry-run"]):
        assert main([*command, "--data", str(data), "--out", str(tmp_path / "out")]) == 2
        assert capsys.readouterr().err == f"error: {line}\n"
    assert main([name, "evaluate", "--checkpoint", str(tmp_path), "--data", str(data)]) == 2
    assert capsys.readouterr().err == f"error: {line}\n"
    assert not (tmp_path / "out").exists()


def _recipe(dataset: str) -> dict[str, Any]:
    return {"key": "data", "maker": f"nsmodels.datasets.{dataset}", "config": {}, "code_version": "1"}


def test_unchanged_it_is_reused_and_forced_it_repeats_itself(copied: Trained, capsys) -> None:
    seal, before = copied.seal, all_losses(copied)
    capsys.readouterr()
    copied.again()
    assert copied.seal == seal
    printed = capsys.readouterr().out
    for stage in copied.system.stages:
        folder = copied.folder_of(stage)
        assert f"{folder}: reused, built {artifact.read_manifest(folder).created} from the same config" in printed
    assert "sealed, fingerprint" not in printed
    copied.again("--force")
    printed = capsys.readouterr().out
    assert printed.count("sealed, fingerprint") == len(copied.system.stages)
    assert ": reused, " not in printed
    assert all(one != other for one, other in zip(copied.seal, seal, strict=True))
    assert all_losses(copied) == before


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_stopped_training_resumes_to_the_same_last_digit(
    first: Trained, child: Callable[..., Child], tmp_path: Path, number: int
) -> None:
    for stage in first.system.stages[: None if number == signal.SIGKILL else 1]:
        stop_and_resume(first, stage, child, tmp_path, number)


def stop_and_resume(first: Trained, stage: Stage, child: Callable[..., Child], root: Path, number: int) -> None:
    cut = replace(first, root=root)
    whole, folder = first.folder_of(stage), cut.folder_of(stage)
    if stage.starts_from is not None:
        parent = first.system.stage(stage.starts_from)
        shutil.rmtree(cut.folder_of(parent), ignore_errors=True)
        shutil.copytree(first.folder_of(parent), cut.folder_of(parent))
    # At its second save: one step of the first epoch of the first phase is on the disk by then.
    stop = partial(signal_at_save, number, checkpoint.LAST, 2)
    stopped = child(main, [*cut.command(stage), "--training.checkpoint-minutes", "0"], setup=stop)
    out, err = stopped.communicate()
    if number == signal.SIGTERM:
        assert stopped.returncode == 143
        assert re.search(r"^stopped in epoch 1; run the same command again, finished work is kept$", err, re.M)
        assert "Traceback" not in err
    else:
        assert stopped.returncode == -signal.SIGKILL
    assert out == ""
    assert not folder.exists()
    (last,) = artifact.beside(folder, "partial").glob(f"*/{checkpoint.LAST}")
    progress = checkpoint.load(last)["progress"]
    assert progress["epoch"] == 0
    assert progress["step"] > 0
    assert main(cut.command(stage)) == 0
    assert history(folder) == history(whole)
    assert artifact.read_manifest(folder).fingerprint == artifact.read_manifest(whole).fingerprint
    assert not artifact.beside(folder, "partial").exists()


def test_every_phase_trains_in_two_processes(first: Trained, child: Callable[..., Child], tmp_path: Path) -> None:
    for stage in first.system.stages:
        whole = first.folder_of(stage)
        config = stage.presets["debug"]().with_values({"training.device": "cpu", "training.num_processes": 2})
        phases = Phases(first.system.package, config, first.inputs(stage), tmp_path / stage.name, 2)
        for name in first.system.enabled(stage, config):
            disk.write_json(tmp_path / "job.json", phases.to_dict(name))
            processes = [child(phase.main, [str(tmp_path / "job.json")], environment=each) for each in ranks(2)]
            for process in processes:
                _, err = process.communicate()
                assert process.returncode == 0, err
            epochs, alone = (json.loads((root / name / "history.json").read_text()) for root in (phases.folder, whole))
            assert [epoch["epoch"] for epoch in epochs] == [epoch["epoch"] for epoch in alone]
            assert all(math.isfinite(epoch["train/loss"]) for epoch in epochs)
            require_parent_weights(first, stage, name, phases.folder / name / "best.pt")


def require_parent_weights(first: Trained, stage: Stage, name: str, path: Path) -> None:
    """What a phase keeps frozen is what its parent learned."""
    frozen = first.system.make_trial(name, stage.presets["debug"](), first.inputs(stage)).freeze
    if stage.starts_from is None or not frozen:
        return
    parent = first.system.stage(stage.starts_from)
    learned = torch.load(first.folder_of(parent) / parent.phases[-1] / "best.pt", weights_only=True)["model_state_dict"]
    found = torch.load(path, weights_only=True)["model_state_dict"]
    kept = [each for each in learned if each.split(".")[0] in frozen]
    assert kept
    assert all(torch.equal(found[each], learned[each]) for each in kept)


def zeroed(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def flipped(path: Path) -> None:
    """One byte in the middle of the largest file of an archive, or of the file itself: beside them lies padding."""
    content = bytearray(path.read_bytes())
    place = len(content) // 2
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            largest = max(archive.infolist(), key=lambda info: info.compress_size)
            with archive.open(largest) as member:
                place = member._orig_compress_start + largest.compress_size // 2
    content[place] ^= 1
    path.write_bytes(content)


def not_finite(path: Path) -> None:
    payload = torch.load(path, weights_only=True)
    value = next(value for value in payload["model_state_dict"].values() if value.is_floating_point())
    value[(0,) * value.dim()] = math.nan
    torch.save(payload, path)


@pytest.mark.parametrize("harm", [zeroed, flipped, not_finite])
def test_changed_weights_are_not_loaded_scored_or_trained_from(
    first: Trained, tmp_path: Path, capsys, harm: Callable[[Path], None]
) -> None:
    copied = replace(first, root=Path(shutil.copytree(first.root, tmp_path / "copied")))
    for stage in first.system.stages:
        for phase_name in phases_of(copied, stage):
            path = copied.folder_of(stage) / phase_name / "best.pt"
            content, state = path.read_bytes(), path.stat()
            path.unlink()  # its content may have a second name
            path.write_bytes(content)
            harm(path)
            os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
            for load in (copied.system.load_network, nsmodels.load):
                with pytest.raises(InputError, match=rf"^{path}: content differs from its checksum; .*restore it from"):
                    load(path, device="cpu")
            refused = [copied.command(each) for each in first.system.stages if each.starts_from == stage.name]
            if stage is first.system.stages[-1]:
                data = str(first.data)
                refused.append([first.name, "evaluate", "--checkpoint", str(copied.folder), "--data", data])
            for command in refused:
                assert main([*command, *(["--force"] if "train" in command else [])]) == 2
                err = capsys.readouterr().err
                assert re.search(rf"^error: {path}: (content differs|\d+ bytes, expected)", err, re.M), err
            path.write_bytes(content)


def test_weights_that_are_not_finite_or_damaged_are_not_loaded_outside_of_an_artifact_either(
    first: Trained, tmp_path: Path
) -> None:
    stage = first.system.stages[-1]
    path = tmp_path / stage.phases[0] / "best.pt"
    copy = "restore a copy"
    harms = {not_finite: f"weight '.*numbers are not finite.*{copy}", flipped: copy, zeroed: "no file of torch.save"}
    for harm, words in harms.items():
        path.parent.mkdir(exist_ok=True)
        shutil.copyfile(first.folder_of(stage) / stage.phases[0] / "best.pt", path)
        harm(path)
        with pytest.raises(InputError, match=rf"^{path}: .*{words}"):
            first.system.load_network(path, "cpu")


def test_a_training_is_not_begun_on_changed_data_nor_in_their_place(first: Trained, tmp_path: Path, capsys) -> None:
    stage = first.system.stages[0]
    data = Path(shutil.copytree(first.data, tmp_path / first.data.name))
    harmed = replace(first, data=data, root=tmp_path)
    largest = max(artifact.read_manifest(data).files.items(), key=lambda item: item[1].bytes)[0]
    command = [*harmed.command(stage)]
    command[command.index("--out") + 1] = str(data)
    assert main(command) == 2
    assert re.search(
        r"^error: .* is the data .*; give a different folder for the result$", capsys.readouterr().err, re.M
    )
    flipped(data / largest)
    assert main(harmed.command(stage)) == 2
    assert re.search(rf"^error: {data / largest}: content differs", capsys.readouterr().err, re.M)
    assert {path.name for path in tmp_path.iterdir()} == {data.name}


def test_a_folder_without_a_checkpoint_is_not_scored(first: Trained, tmp_path: Path, capsys) -> None:
    assert main([first.name, "evaluate", "--checkpoint", str(tmp_path), "--data", str(first.data)]) == 2
    line = capsys.readouterr().err
    assert str(tmp_path) in line
    assert line.count("\n") == 1


def test_the_checkpoint_alone_is_enough_to_evaluate(first: Trained, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    shutil.copytree(first.folder, moved)
    report = tmp_path / "report.json"
    command = ["evaluate", "--checkpoint", str(moved), "--data", str(first.data), "--json", str(report)]
    assert main([first.name, *command]) == 0
    result = json.loads(report.read_text())
    assert result["data"]["source"] == artifact.read_manifest(first.data).source
    assert result["rows"]
    assert result["baselines"]


def test_an_evaluation_keeps_what_its_score_is_the_mean_of(
    first: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NSMODELS_DATA", str(tmp_path))
    folder, system = tmp_path / "evaluation", first.system
    config = next(iter(system.evaluation_presets.values()))()
    config = config.with_values({"device": "cpu"} if "device" in type(config).model_fields else {})
    order = Order("evaluation", config, Inputs.of(first.data, model=("model", first.folder)), folder)
    made = system.evaluate(order)
    outcomes, entries = read_outcomes(folder), ledger.entries()
    assert len(entries) == len(files_of(folder))
    (entry,) = [each for each in entries if each.is_headline]
    assert outcomes.mean == pytest.approx(made.metrics[outcomes.metric])
    model = artifact.read_manifest(first.folder)
    assert (entry.score, entry.n, entry.seed) == (outcomes.mean, len(outcomes.items), model.seed)
    assert (entry.system, entry.dataset, entry.code_version) == (first.name, "data", system.code_version)
    report = json.loads((folder / "report.json").read_text())
    row = report["rows"][report["headline"]]  # a report may give no interval for few clusters; the ledger has it
    assert [entry.low, entry.high] == pytest.approx(outcomes.interval if row.get("is_few") else row["interval"])
    assert made.code_version == system.evaluation_version
    assert entry.num_parameters == model.metrics["num_parameters"] > 0
    assert 0 < entry.train_cpu_seconds == model.metrics["train_cpu_seconds"]
    assert "chance" in entry.baselines or "random" in entry.baselines
    seal = (folder / artifact.MANIFEST).stat().st_ino
    shutil.rmtree(tmp_path / ledger.LEDGER)
    system.evaluate(order)
    assert (folder / artifact.MANIFEST).stat().st_ino == seal
    assert {each.id for each in ledger.entries()} == {each.id for each in entries}  # one that is kept is entered too


def test_an_evaluation_of_the_command_line_is_sealed_and_ranked(
    first: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    root = tmp_path / "data"
    monkeypatch.setenv("NSMODELS_DATA", str(root))
    folder, report = root / "mine", tmp_path / "report.json"
    command = [first.name, "evaluate", "--checkpoint", str(first.folder), "--data", str(first.data)]
    command += ["--json", str(report)]
    assert main([*command, "--out", str(folder)]) == 0
    sealed = artifact.verify(folder)
    assert json.loads(report.read_text()) == json.loads((folder / "report.json").read_text())
    capsys.readouterr()
    assert main([*command, "--out", str(folder)]) == 0
    printed = capsys.readouterr().out
    assert f"{folder}: reused, built {sealed.created} from the same; ranked by: nsmodels leaderboard" in printed
    assert main(["leaderboard"]) == 0
    assert f"{first.data.name} {artifact.read_manifest(first.data).fingerprint}" in capsys.readouterr().out
    assert main([*command, "--out", str(tmp_path / "elsewhere")]) == 0
    assert f"sealed; outside of {root}, so nsmodels leaderboard lacks it" in capsys.readouterr().out
    assert len({entry.key for entry in ledger.entries()}) == 1


def test_its_model_and_each_network_are_loaded_by_name(first: Trained) -> None:
    package = f"nsmodels.systems.{first.name}"
    assert type(nsmodels.load(first.folder, device="cpu")).__module__.startswith(package)
    for stage in first.system.stages:
        folder = first.folder_of(stage)
        assert set(phases_of(first, stage)) == {path.parent.name for path in folder.glob("*/best.pt")}
        for name in phases_of(first, stage):
            network = nsmodels.load(folder / name / "last.pt", device="cpu")
            saved = torch.load(folder / name / "last.pt", weights_only=True)["model_state_dict"]
            assert not network.training
            assert all(torch.equal(network.state_dict()[key], value) for key, value in saved.items())


def test_what_it_demonstrates_is_drawn_by_chance_and_explained(first: Trained) -> None:
    model = first.system.load(first.folder, "cpu")
    if type(first.system).demonstrate is System.demonstrate:
        with pytest.raises(InputError, match=f"{first.name}: has no demonstration"):
            first.system.demonstrate(model, first.data, 3)
        return
    shown, other = (first.system.demonstrate(model, first.data, 3, seed) for seed in (0, 1))
    cases = [shown.answer(number) for number in range(len(shown))]
    assert 1 <= len(cases) <= 3
    assert cases == [shown.answer(number) for number in range(len(cases))], "an answer changes when it is asked again"
    assert [(case.item, case.asked) for case in cases] != [
        (case.item, case.asked) for case in (other.answer(number) for number in range(len(other)))
    ]
    for number, case in enumerate(cases):
        assert all(vars(case)[name] for name in ("item", "asked", "answer", "truth"))
        explained, changed = shown.explain(number), shown.change(number)
        assert explained.picture.startswith(b"\x89PNG")
        assert case.item in explained.text
        assert len(changed.text.splitlines()) >= 2 or "no path" in changed.text
    words = shlex.split(shown.own.format(model=first.folder, data=first.data))
    assert words[:2] == ["nsmodels", first.name]
