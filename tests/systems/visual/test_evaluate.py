"""Evaluations sealed with all they promise, from checkpoints of today and of before; answers without a proof."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from nsmodels.__main__ import main
from nsmodels.core import artifact
from nsmodels.core.errors import InputError
from nsmodels.systems.visual import SYSTEM
from nsmodels.systems.visual.baselines.priors import Prior
from nsmodels.systems.visual.config import debug
from nsmodels.systems.visual.reasoning.proof import Proof
from nsmodels.systems.visual.reasoning.replay import check
from tests.shared import Shared
from tests.systems import orders

pytestmark = pytest.mark.usefixtures("one_thread")

KEYS = {"rows", "headline", "objects", "baselines", "calibration", "latency", "num_parameters", "data", "published"}
KEYS |= {"attributes", "depth", "posedness"}


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
    assert report.keys() == KEYS
    assert manifest.metrics["accuracy"] == report["rows"][report["headline"]]["accuracy"]
    assert report["num_parameters"]["total"] == sum(report["num_parameters"][n] for n in ("perception", "parser"))
    assert report["data"]["num_annotated_questions"] == 50
    assert report["baselines"]["majority"]["fitted_on"] == "the train split of the scored data"
    assert {"device", "machine", "num_threads", "peak_process_memory_mib"} <= report["latency"].keys()
    table = (tmp_path / "evaluation" / "table.txt").read_text()
    assert f"of {report['data']['num_annotated_images']} images and programs of 50 questions" in table
    assert {"figures/accuracy.png", "figures/accuracy.pdf", "figures/posedness.png"} <= manifest.files.keys()
    assert {"auc", "ill_posed_refused", "confidence_ill_posed"} <= report["posedness"].keys()
    assert "ill-posed questions (half of " in table
    proofs = [name for name in manifest.files if name.startswith("proofs/") and name.endswith(".json")]
    assert {Path(name).name.split("_")[0] for name in proofs} <= {"right", "wrong"}
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


def test_questions_are_answered_with_a_proof_or_refused(capsys, model: Path, data: Path) -> None:
    entries = json.loads((data / "questions" / "CLEVR_train_questions.json").read_text())["questions"][:6]
    image = data / "images" / "val" / "CLEVR_val_000000.png"
    for entry in entries:
        capsys.readouterr()
        words = ["--checkpoint", str(model), "--image", str(image), "--device", "cpu", entry["question"]]
        status = main(["visual", "answer", *words])
        first, *more = capsys.readouterr().out.splitlines()
        assert first.startswith(("answer: ", "no answer: ")[status])
        proofs = [line for line in more if line.startswith(("proof of ", "no proof: ", "no probable world has this"))]
        assert bool(proofs) == (status == 0)
