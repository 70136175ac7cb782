"""Evaluations sealed with all they promise, from checkpoints of today and of before; answers without a proof."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from nsmodels.__main__ import main
from nsmodels.core import artifact
from nsmodels.core.errors import InputError
from nsmodels.systems.visual import SYSTEM
from nsmodels.systems.visual.baselines.priors import Prior
from nsmodels.systems.visual.config import debug
from nsmodels.systems.visual.model import VisualAnswer
from nsmodels.systems.visual.reasoning.belief import SceneBelief
from nsmodels.systems.visual.reasoning.execution import answer
from nsmodels.systems.visual.reasoning.proof import Proof, prove
from nsmodels.systems.visual.reasoning.replay import check
from tests.shared import Shared
from tests.systems import orders

pytestmark = pytest.mark.usefixtures("one_thread")

KEYS = {
    "rows",
    "headline",
    "objects",
    "attributes",
    "baselines",
    "calibration",
    "latency",
    "num_parameters",
    "data",
    "published",
}


@pytest.fixture(scope="module")
def data(shared: Shared) -> Path:
    return shared.data("clevr")


@pytest.fixture(scope="module")
def model(data: Path, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "model"
    orders.train(SYSTEM, debug().with_values({"training.device": "cpu", "parser.max_questions": 50}), data, folder)
    return folder


@pytest.fixture(scope="module")
def val_only(data: Path, tmp_path_factory) -> Path:
    """Somebody's own data with nothing but a validation split."""
    folder = tmp_path_factory.mktemp("val") / "clevr"
    shutil.copytree(data, folder, ignore=shutil.ignore_patterns("*train*", artifact.MANIFEST))
    return folder


def test_scenes_of_two_runs_are_not_scored(val_only: Path, model: Path, tmp_path: Path, capsys) -> None:
    """Each index twice: a question would be asked of another image, and the true scene answer half of them."""
    mine = shutil.copytree(val_only, tmp_path / "mine")
    path = mine / "scenes" / "CLEVR_val_scenes.json"
    content = json.loads(path.read_text())
    for number, scene in enumerate(list(content["scenes"])):
        other = content["scenes"][number - 1]
        name = f"copy_{other['image_filename']}"
        shutil.copyfile(mine / "images" / "val" / other["image_filename"], mine / "images" / "val" / name)
        content["scenes"].append({**other, "image_index": scene["image_index"], "image_filename": name})
    path.write_text(json.dumps(content))
    assert main(["visual", "evaluate", "--checkpoint", str(model), "--data", str(mine), "--device", "cpu"]) == 2
    assert f"{path}: scenes[12]: field 'image_index': 0 is also that of item 0" in capsys.readouterr().err


def test_an_evaluation_is_sealed_with_report_table_proofs_and_figures(data: Path, model: Path, tmp_path: Path) -> None:
    manifest = orders.evaluate(SYSTEM, model, data, tmp_path / "evaluation", device="cpu")
    assert artifact.verify(tmp_path / "evaluation") == manifest
    report = json.loads((tmp_path / "evaluation" / "report.json").read_text())
    assert report.keys() == KEYS | {"depth"}
    assert manifest.metrics["accuracy"] == report["rows"][report["headline"]]["accuracy"]
    assert report["num_parameters"]["total"] == sum(report["num_parameters"][n] for n in ("perception", "parser"))
    assert report["data"]["num_annotated_questions"] == 50
    assert report["baselines"]["majority"]["fitted_on"] == "the train split of the scored data"
    assert {"device", "machine", "num_threads", "peak_process_memory_mib"} <= report["latency"].keys()
    table = (tmp_path / "evaluation" / "table.txt").read_text()
    assert f"of {report['data']['num_annotated_images']} images and programs of 50 questions" in table
    assert {"figures/accuracy.png", "figures/accuracy.pdf"} <= manifest.files.keys()
    proofs = [name for name in manifest.files if name.startswith("proofs/") and name.endswith(".json")]
    for name in proofs:
        check(Proof.from_json((tmp_path / "evaluation" / name).read_text()))
        assert {name.replace(".json", end) for end in (".txt", ".png")} <= manifest.files.keys()


def test_priors_come_from_the_training_data_when_only_scored_questions_are_there(model: Path, val_only: Path) -> None:
    row = orders.score(SYSTEM, model, val_only, device="cpu")["baselines"]["question_type_prior"]
    assert row["fitted_on"].startswith("the train split of the checkpoint's data (synthetic CLEVR, ")
    assert row["fitted_on"] == Prior.read(model / "priors.json").fitted_on


def test_an_older_checkpoint_is_still_evaluated(model: Path, val_only: Path, tmp_path: Path) -> None:
    shutil.copytree(model, tmp_path / "older")
    (tmp_path / "older" / "priors.json").unlink()
    manifest = json.loads((tmp_path / "older" / artifact.MANIFEST).read_text())
    del manifest["metrics"]["num_train_questions"], manifest["files"]["priors.json"]
    (tmp_path / "older" / artifact.MANIFEST).write_text(json.dumps(manifest))
    report = orders.score(SYSTEM, tmp_path / "older", val_only, device="cpu")
    assert report["baselines"]["majority"]["fitted_on"] == "the scored questions themselves"
    assert report["data"]["num_annotated_questions"] is None


def test_broken_priors_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "priors.json").write_text('{"majority": "1"}')
    with pytest.raises(InputError, match=r"priors\.json: broken"):
        Prior.read(tmp_path / "priors.json")


def test_questions_are_answered_whether_or_not_there_is_a_proof(capsys, model: Path, data: Path) -> None:
    entries = json.loads((data / "questions" / "CLEVR_train_questions.json").read_text())["questions"][:6]
    image = data / "images" / "val" / "CLEVR_val_000000.png"
    for entry in entries:
        capsys.readouterr()
        words = ["--checkpoint", str(model), "--image", str(image), "--device", "cpu", entry["question"]]
        assert main(["visual", "answer", *words]) == 0
        first, second, *_ = capsys.readouterr().out.splitlines()
        assert first.startswith("answer: ")
        assert second.startswith(("proof of ", "no proof: ", "no probable world has this answer"))


def color_of(*filters: str) -> list[dict]:
    """What colour is the thing of these sizes?"""
    chain = [{"function": "filter_size", "inputs": [k], "value_inputs": [size]} for k, size in enumerate(filters)]
    last = len(chain)
    ends = [("unique", last), ("query_color", last + 1)]
    scene = {"function": "scene", "inputs": [], "value_inputs": []}
    return [scene, *chain, *({"function": name, "inputs": [k], "value_inputs": []} for name, k in ends)]


def test_the_answer_precedes_a_missing_or_a_different_proof() -> None:
    attributes = {
        "size": np.array([[0.9, 0.1], [0.2, 0.8]]),
        "color": np.eye(8)[[1, 3]],
        "material": np.eye(2)[[0, 0]],
        "shape": np.eye(3)[[0, 1]],
    }
    coords, pixels = np.array([[0, 0, 0.7], [2, 0, 0.35]]), np.array([[240, 160], [330, 190]], float)
    belief = SceneBelief.from_predictions(np.ones(2), attributes, coords, pixels, (480, 320))
    found, proof = answer(color_of("large"), belief), prove(color_of("large"), belief)
    given = VisualAnswer("?", found, proof, belief, 0.9)
    assert given.text().splitlines()[:2] == ["answer: red   confidence 0.973", proof.text().splitlines()[0]]
    missing = VisualAnswer("?", found, None, belief, 0.9, "no proof: ill posed")
    assert missing.text().splitlines() == ["answer: red   confidence 0.973", "no proof: ill posed"]
    with pytest.raises(InputError, match="no proof: ill posed; a drawing"):
        _ = missing.needed_proof
    other = VisualAnswer("?", found, prove(color_of("small"), belief), belief, 0.9)
    assert "the proof is of the most probable one: green" in other.text().splitlines()[1]
