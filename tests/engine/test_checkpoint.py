from __future__ import annotations

import io
import os
import pickle
import tarfile
import warnings
import zipfile

import pytest
import torch
from torch import nn

from nsmodels.core.errors import InputError
from nsmodels.engine import checkpoint
from nsmodels.engine.loop import fit
from tests.engine.toy import CONFIG, Toy


@pytest.fixture
def trained(tmp_path):
    config = CONFIG.model_copy(update={"epochs": 1})
    fit(Toy(config), config, tmp_path)
    return tmp_path / "best.pt"


def test_documented_keys_load_with_weights_only(trained):
    payload = torch.load(trained, weights_only=True)
    states = {"model_state_dict", "optimizer_state_dict", "scheduler_state_dict"}
    assert states | {"epoch", "val_metrics", "args", "config"} <= payload.keys()
    assert payload["val_metrics"].keys() == {"val/loss", "val/entropy", "val/accuracy"}
    assert payload["args"]["lr"] == 0.02
    assert payload["config"]["system"] == "toy"


@pytest.mark.parametrize("damage", ["cut", "text", "empty", "other", "pickle"])
def test_a_damaged_file_is_one_line(trained, damage):
    content = trained.read_bytes()
    if damage == "other":
        torch.save({"weights": 1}, trained)
    elif damage == "pickle":
        torch.save(Toy, trained)
    else:
        trained.write_bytes({"cut": content[: len(content) // 2], "text": b"<html>404</html>", "empty": b""}[damage])
    with pytest.raises(InputError, match=r"best.pt: not a (readable )?checkpoint"):
        checkpoint.load(trained)


class Malicious:
    def __reduce__(self):
        return os.mkdir, ("executed",)


def pickled(protocol):
    return lambda path: path.write_bytes(pickle.dumps({"model_state_dict": Malicious()}, protocol))


def scripted(path):
    with warnings.catch_warnings(action="ignore"):
        torch.jit.script(nn.Linear(1, 1)).save(path)


def zipped(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", b"")


def archived(path):
    with tarfile.open(path, "w") as archive:
        for name in ("storages", "tensors", "pickle"):
            archive.addfile(tarfile.TarInfo(name), io.BytesIO())


CODE = r"it contains code that would be executed \(posix.mkdir\); it was not loaded$"


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        (lambda path: torch.save({"model_state_dict": Malicious()}, path), CODE),
        (lambda path: torch.save({"a": Malicious()}, path, _use_new_zipfile_serialization=False), CODE),
        *((pickled(protocol), CODE) for protocol in range(6)),
        (lambda path: torch.save(nn.Linear(1, 1), path), r"\(torch.nn.modules.linear.Linear, "),
        (scripted, r"\(__torch__.torch.nn.modules.linear.Linear\)"),
        (archived, "it is an archive in the tar format, which may contain code"),
        (zipped, "it is a zip archive that torch.save did not"),
        (lambda path: path.write_bytes(b"<html>404</html>"), "it is no file of torch.save"),
    ],
    ids=["zip", "legacy", *map(str, range(6)), "module", "torchscript", "tar", "npz", "html"],
)
def test_a_file_that_is_no_checkpoint_is_named_for_what_it_is_and_not_executed(tmp_path, monkeypatch, write, reason):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "best.pt")
    with pytest.raises(InputError, match=f"best.pt: not a checkpoint of this project, .*{reason}") as refused:
        checkpoint.load(tmp_path / "best.pt")
    assert "PyTorch" not in str(refused.value)
    assert not (tmp_path / "executed").exists()


def test_a_missing_file_is_one_line(tmp_path):
    with pytest.raises(InputError, match="no such checkpoint"):
        checkpoint.load(tmp_path / "best.pt")


def test_mismatches_are_named(trained):
    model = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Dropout(), nn.Linear(16, 5))
    with pytest.raises(InputError, match=r"'3.weight' has shape \(4, 16\), the model \(5, 16\)"):
        checkpoint.load_weights(model, trained)
    larger = nn.Sequential(*Toy().build().children(), nn.Linear(4, 4))
    with pytest.raises(InputError, match=r"'4.weight' is missing"):
        checkpoint.load_weights(larger, trained)
    checkpoint.load_weights(larger, trained, allow_missing=True)
    with pytest.raises(InputError, match=r"'0.weight' is not in the model"):
        checkpoint.load_weights(nn.Sequential(), trained, allow_missing=True)


def test_a_failed_write_leaves_the_previous_file(tmp_path):
    path = tmp_path / "last.pt"
    checkpoint.save(path, {"model_state_dict": {}})
    before = path.read_bytes()

    def fail(file):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(InputError, match=r"the disk is full .* previous checkpoint is intact"):
        checkpoint.write_atomically(path, fail)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["last.pt"]


def test_a_number_that_is_not_finite_never_becomes_json(tmp_path):
    checkpoint.save_json(tmp_path / "history.json", [1.0])
    with pytest.raises(ValueError, match="not JSON compliant"):
        checkpoint.save_json(tmp_path / "history.json", [float("nan")])
    assert (tmp_path / "history.json").read_text() == "[\n 1.0\n]\n"


def test_sweeping_takes_unfinished_files_only(tmp_path):
    for name in ("last.pt", ".last.pt.part", ".last.pt.4711.part", ".best.pt.link", ".lock"):
        (tmp_path / name).touch()
    checkpoint.remove_unfinished(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == [".lock", "last.pt"]


def test_pruning_goes_by_number_not_by_name(tmp_path):
    for number in (9998, 9999, 10000, 10001):
        (tmp_path / f"epoch_{number:04d}.pt").touch()
    checkpoint.prune(tmp_path, 2)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["epoch_10000.pt", "epoch_10001.pt"]
