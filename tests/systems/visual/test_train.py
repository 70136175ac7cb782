"""`nsmodels visual`: interruptions, bad input reported in one line, the report and the answer on the command line."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from nsmodels.__main__ import main
from nsmodels.core import artifact
from nsmodels.engine import checkpoint
from nsmodels.systems.visual.config import PRESETS
from nsmodels.systems.visual.evaluation.scoring import ROWS
from tests.shared import Shared, resealed

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def data(shared: Shared) -> Path:
    return shared.data("clevr")


@pytest.fixture(scope="module")
def model(shared: Shared) -> Path:
    return shared.model("visual")


@pytest.fixture
def harmed(model: Path, tmp_path: Path) -> Path:
    """A copy of the checkpoint, to be harmed."""
    shutil.copytree(model, tmp_path / "model")
    return resealed(tmp_path / "model", key="model")


@pytest.fixture
def plain(data: Path, tmp_path: Path) -> Path:
    """A copy of the data as somebody's own folder: no manifest, to be harmed."""
    shutil.copytree(data, tmp_path / "plain")
    (tmp_path / "plain" / artifact.MANIFEST).unlink()
    return tmp_path / "plain"


def training(data: Path, out: Path, *flags: str) -> list[str]:
    places = ["--data", str(data), "--out", str(out)]
    return ["visual", "train", "--preset", "debug", "--device", "cpu", *places, *flags]


def refused(capsys: pytest.CaptureFixture[str], words: list[str]) -> str:
    """The one line on stderr with which a command is refused; lines of finished epochs may stand before it."""
    try:
        status = main(words)
    except SystemExit as end:
        status = end.code
    captured = capsys.readouterr()
    lines = [line for line in captured.err.splitlines() if not line.startswith("epoch ")]
    assert (status, captured.out) == (2, "")
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    return lines[0]


# --- bad input ---------------------------------------------------------------------------------------------------


def cut_scenes(plain: Path) -> str:
    path = plain / "scenes" / "CLEVR_train_scenes.json"
    path.write_text(path.read_text()[:1000])
    return rf"{path}: broken or cut off at line 1 column \d+"


def ask_of_a_missing_image(plain: Path) -> str:
    path = plain / "questions" / "CLEVR_val_questions.json"
    content = json.loads(path.read_text())
    content["questions"][5].update(image_index=999, image_filename="CLEVR_val_000999.png")
    path.write_text(json.dumps(content))
    return rf"{path}: questions\[5\]: image_index 999 has no scene in"


def remove_an_image(plain: Path) -> str:
    path = sorted((plain / "images" / "train").iterdir())[3]
    path.unlink()
    return f"{path}: no such image"


def break_an_image(plain: Path) -> str:
    path = sorted((plain / "images" / "train").iterdir())[3]
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return f"{path}: cannot be decoded"


def no_image_at_all(plain: Path) -> str:
    path = sorted((plain / "images" / "val").iterdir())[0]
    path.write_bytes(b"<html>not found</html>")
    return f"{path}: cannot be (read as an image|decoded)"


def no_data(plain: Path) -> str:
    shutil.rmtree(plain)
    return f"{plain}: no such folder"


HARMS = [cut_scenes, ask_of_a_missing_image, remove_an_image, break_an_image, no_image_at_all, no_data]


@pytest.mark.parametrize("harm", HARMS)
def test_bad_data_is_one_line_and_the_previous_checkpoint_stays(
    capsys, plain: Path, harmed: Path, harm: Callable[[Path], str]
) -> None:
    before = artifact.read_manifest(harmed)
    pattern = harm(plain)
    capsys.readouterr()
    assert re.search(pattern, refused(capsys, training(plain, harmed)))
    assert artifact.verify(harmed) == before
    assert {path.name for path in harmed.parent.iterdir()} <= {"model", ".model.lock", "plain"}


@pytest.mark.parametrize("flags", [["--training.learning-rate", "1"], ["--lr", "-1"], ["--lr", "fast"]])
def test_a_wrong_field_is_one_line(capsys, data: Path, tmp_path: Path, flags: list[str]) -> None:
    line = refused(capsys, training(data, tmp_path / "out", *flags))
    assert flags[0].strip("-").partition(".")[2] in line or "training.lr" in line
    assert not (tmp_path / "out").exists()


def test_an_unknown_key_in_a_file_is_one_line(capsys, data: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("perception:\n  backbon: resnet18\n")
    line = refused(capsys, training(data, tmp_path / "out", "--config", str(path)))
    assert line.startswith(f"error: {path}: unknown field 'perception.backbon' (known: backbone, ")
    assert not (tmp_path / "out").exists()


def test_a_loss_that_is_not_finite_names_step_term_and_remedy(capsys, data: Path, tmp_path: Path) -> None:
    # Decay times learning rate far above 2: every step multiplies the weights by about -99.
    absurd = ["--training.lr", "10", "--training.weight-decay", "10"]
    absurd += ["--training.epochs", "3", "--training.batch-size", "2"]
    line = refused(capsys, training(data, tmp_path / "out", *absurd))
    assert re.search(r"step \d+.*(not finite|NaN|nan|inf)", line)
    assert "lr" in line
    assert not (tmp_path / "out").exists()


def other_network(folder: Path) -> str:
    shutil.copyfile(folder / "parser" / "best.pt", folder / "perception" / "best.pt")
    return "perception/best.pt: a checkpoint of a different network"


def other_width(folder: Path, network: str = "perception", field: str = "feature_dim", value: int = 32) -> str:
    path = folder / network / "best.pt"
    payload = checkpoint.load(path)
    payload["config"][network][field] = value
    torch.save(payload, path)
    return f"{network}/best.pt: weights of a different architecture"


def other_parser(folder: Path) -> str:
    return other_width(folder, "parser", "hidden_dim", 64)


def cut_weights(folder: Path) -> str:
    path = folder / "parser" / "best.pt"
    path.write_bytes(path.read_bytes()[:5000])
    return "parser/best.pt: not a readable checkpoint"


def no_weights(folder: Path) -> str:
    (folder / "perception" / "best.pt").unlink()
    return "perception/best.pt: no such checkpoint"


def no_calibration(folder: Path) -> str:
    (folder / "calibration.json").write_text("{")
    return "calibration.json: missing or broken"


def not_sealed(folder: Path) -> str:
    (folder / artifact.MANIFEST).unlink()
    return "model: artifact 'model' does not exist or was never finished"


BROKEN = [other_network, other_width, other_parser, cut_weights, no_weights, no_calibration, not_sealed]


@pytest.mark.parametrize("harm", BROKEN)
def test_a_checkpoint_that_does_not_fit_is_one_line(
    capsys, harmed: Path, data: Path, tmp_path: Path, harm: Callable[[Path], str]
) -> None:
    pattern, report = harm(harmed), tmp_path / "report.json"
    if (harmed / artifact.MANIFEST).exists():
        resealed(harmed)
    words = ["visual", "evaluate", "--checkpoint", str(harmed), "--data", str(data), "--json", str(report)]
    assert re.search(pattern, refused(capsys, words))
    assert not report.exists()


# --- evaluation --------------------------------------------------------------------------------------------------


def test_the_report_has_every_part_and_its_first_row_is_certain(capsys, model: Path, plain: Path, tmp_path) -> None:
    words = ["visual", "evaluate", "--checkpoint", str(model), "--data", str(plain), "--split", "val"]
    assert main([*words, "--json", str(tmp_path / "r.json")]) == 0
    out = capsys.readouterr().out
    report: dict[str, Any] = json.loads((tmp_path / "r.json").read_text())
    assert list(report["rows"]) == list(ROWS)
    assert report["rows"]["true_scene_true_program"]["accuracy"] == 1.0
    for row in report["rows"].values():
        assert {"accuracy", "interval", "by_type"} <= row.keys()
        assert 0 <= row["accuracy"] <= 1
        assert (row["interval"], row["is_few"]) == (None, True)  # 12 images
        assert sum(part["n"] for part in row["by_type"].values()) == row["n"] == 48
    assert {"precision", "recall", "size", "color", "material", "shape", "all_attributes"} <= report["objects"].keys()
    assert {"chance", "majority", "question_type_prior", "cnn_lstm"} <= report["baselines"].keys()
    for part in ("calibration", "latency", "num_parameters", "data"):
        assert report[part], part
    assert report["data"]["source"] == "local"
    assert report["data"]["trained_on"] == "synthetic CLEVR"
    assert [name for name in ROWS if name.replace("_", " ") not in out] == []


def test_a_split_that_is_not_there_is_one_line(capsys, model: Path, data: Path) -> None:
    words = ["visual", "evaluate", "--checkpoint", str(model), "--data", str(data), "--split", "test"]
    assert "no split 'test' (there are: train, val)" in refused(capsys, words)


# --- answers -----------------------------------------------------------------------------------------------------


def asked(model: Path, data: Path, question: str, *flags: str) -> list[str]:
    image = data / "images" / "val" / "CLEVR_val_000000.png"
    return ["visual", "answer", "--checkpoint", str(model), "--image", str(image), question, *flags]


def test_a_question_without_words_is_one_line(capsys, model: Path, data: Path) -> None:
    assert "expected at least one word" in refused(capsys, asked(model, data, "?!"))


def test_an_image_that_cannot_be_read_is_one_line(capsys, model: Path, data: Path, tmp_path: Path) -> None:
    words = asked(model, data, "How many cubes are there?")
    words[words.index("--image") + 1] = str(tmp_path / "absent.png")
    assert f"{tmp_path / 'absent.png'}: no such image" in refused(capsys, words)


@pytest.mark.parametrize("num_images", [100, 2_000, 70_000])
def test_the_default_without_a_gpu_warms_up_whatever_the_number_of_images(num_images: int) -> None:
    training = PRESETS["small"]().training
    num_steps = -(-num_images // training.batch_size)
    assert 0 < training.warmed(num_steps).warmup_epochs * num_steps <= training.max_steps / 10
