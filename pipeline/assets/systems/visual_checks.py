"""What a trained visual reasoner and its evaluation must hold, and a first look at the model for its page."""

import json
import math
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from nsmodels.core.artifact import MANIFEST, current, read_manifest
from nsmodels.core.errors import InputError
from pipeline.lib import checks, pictures, results, store
from pipeline.lib.checks import Judge, Verdict

if TYPE_CHECKING:
    from nsmodels.systems.visual.glance import Glance, Proved

NUM_PROOFS = 3
TOLERANCE = 1e-3  # of a loss, between two machines


def first_look(folder: Path) -> results.Metadata:
    """Curves, and on the first validation images: the table and some proofs over their images."""
    seen = look(folder)
    from nsmodels.systems.visual.report import table

    scores = results.numbers({"first_look": {"accuracy": seen.accuracy, **seen.priors}})
    shown = {f"proof_{number}": picture(proved) for number, proved in enumerate(examples(seen.proofs))}
    return {**scores, "first_look": results.text(table(seen.report)), **shown, **results.pages(folder)}


def look(folder: Path) -> "Glance":
    """The model's glance at the data it was trained on, computed once per sealed model and process."""
    return _look(folder, read_manifest(folder).created)


@cache
def _look(folder: Path, created: str) -> "Glance":
    from nsmodels.systems.visual.glance import glance

    return glance(folder, data_of(folder))


def data_of(folder: Path) -> Path:
    """The data that a model was trained on: in today's data root where they are there, else where they stood then."""
    key, record = next(iter(read_manifest(folder).inputs.items()))
    place = store.folder(key)
    return place if current(place, record.fingerprint) else Path(record.path)


def examples(proofs: list["Proved"]) -> list["Proved"]:
    """Some right and some wrong ones, from different images."""
    by_image = list({proved.image: proved for proved in proofs}.values())
    right, wrong = ([p for p in by_image if p.is_right is kind] for kind in (True, False))
    return [*right[: NUM_PROOFS - min(1, len(wrong))], *wrong[:1]][:NUM_PROOFS]


def picture(proved: "Proved") -> dg.MarkdownMetadataValue:
    """The proof in words, below it drawn over the image."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "proof.png"
        proved.draw(path)
        return dg.MetadataValue.md(f"```\n{proved.text()}\n```\n\n{pictures.inline(path).value}")


def losses_are_finite(folder: Path) -> Verdict:
    """Judge every number of the training history."""
    history = json.loads((folder / "history.json").read_text())
    records = [(f"{phase}, epoch {row['epoch']}", row) for phase, rows in history.items() for row in rows]
    found = [f"{where}: {k} is {v}" for where, row in records for k, v in row.items() if _is_broken(v)]
    return Verdict(not found, "; ".join(found[:3]), {"num_epochs": len(records), "num_broken": len(found)})


def _is_broken(value: object) -> bool:
    return value is None or (isinstance(value, float) and not math.isfinite(value))


def beats_priors(folder: Path) -> Verdict:
    """Judge the model's first look against what a guesser would score that never sees an image."""
    seen = look(folder)
    return _above(seen.accuracy, seen.priors)


def evaluation_beats_priors(folder: Path) -> Verdict:
    """Judge the whole evaluation likewise."""
    report = json.loads((folder / "report.json").read_text())
    priors = {name: row["accuracy"] for name, row in report["baselines"].items()}
    return _above(report["rows"][report["headline"]]["accuracy"], priors)


def _above(accuracy: float, priors: dict[str, float]) -> Verdict:
    best = max(priors, key=lambda name: priors[name])
    said = f"{accuracy:.1%} against {priors[best]:.1%} of the best prior ({best})"
    return Verdict(accuracy > priors[best], said, {"accuracy": accuracy, **priors})


def reproduces_its_score(folder: Path) -> Verdict:
    """Load the best perception anew and compare its loss on the whole validation split with that of the training."""
    manifest, (name, record) = read_manifest(folder), next(iter(read_manifest(folder).inputs.items()))
    data = data_of(folder)
    if read_manifest(data).fingerprint != record.fingerprint:
        raise InputError(f"{data}: not the {name} that {folder.name} was trained on; train it again")
    rows = json.loads((folder / "history.json").read_text())["perception"]
    best = next((row for row in rows if row["epoch"] == manifest.metrics["perception/epoch"]), {})
    recorded, found = best.get("val/loss", math.nan), validation_loss(folder, data)
    is_same = math.isclose(found, recorded, rel_tol=TOLERANCE)
    return Verdict(is_same, f"{found:.6g}, at training {recorded:.6g}", {"loss": found, "recorded": recorded})


def validation_loss(folder: Path, data: Path) -> float:
    """Mean loss of the best perception in a checkpoint folder over the validation split of `data`."""
    import torch

    from nsmodels.engine import batching, checkpoint
    from nsmodels.engine.runtime import resolve_device, resolve_precision
    from nsmodels.engine.task import Shard
    from nsmodels.systems.visual.config import VisualConfig
    from nsmodels.systems.visual.phases import make_task

    config = VisualConfig.from_mapping(read_manifest(folder).config, str(folder / MANIFEST))
    task, training = make_task("perception", config, data)
    device = resolve_device(training.device)
    model, precision = task.build(), resolve_precision(training, device)
    checkpoint.load_weights(model, folder / "perception" / "best.pt")
    model.to(device).eval()
    total, num = 0.0, 0
    with torch.inference_mode(), torch.autocast(device.type, precision, enabled=precision is not None):
        for part in task.batches("val", 0, Shard()):
            batch = batching.to_device(part, device)
            size = batching.count_samples(batch)
            total, num = total + size * float(task.loss(model, batch)[0]), num + size
    return total / num


def proofs_replay(folder: Path) -> Verdict:
    """Replay every proof of the first look without the networks."""
    from nsmodels.systems.visual.replay import ProofError, check

    proofs, problems = look(folder).proofs, []
    for proved in proofs:
        try:
            check(proved.proof)
        except ProofError as error:
            problems.append(f"{proved.question['question']} {error}")
    return Verdict(bool(proofs) and not problems, "; ".join(problems[:3]), {"num_proofs": len(proofs)})


def oracle_is_perfect(folder: Path) -> Verdict:
    """Judge the row of true scenes and true programs: anything but 100 % is a broken executor or broken data."""
    row = json.loads((folder / "report.json").read_text())["rows"]["true_scene_true_program"]
    return Verdict(row["accuracy"] == 1.0, f"{row['accuracy']:.2%}", {"accuracy": row["accuracy"]})


MODEL_CHECKS: dict[str, tuple[str, Judge]] = {
    "losses_are_finite": ("Every number of the training history is finite.", losses_are_finite),
    "beats_priors": ("Better than the majority and question-type priors, on the first images.", beats_priors),
    "reproduces_its_score": ("Loaded anew, perception has the validation loss of its training.", reproduces_its_score),
    "proofs_replay": ("Every proof holds without the networks.", proofs_replay),
}
EVALUATION_CHECKS: dict[str, tuple[str, Judge]] = {
    "oracle_is_perfect": ("True scenes and true programs give 100 %.", oracle_is_perfect),
    "beats_priors": ("Better than the majority and question-type priors.", evaluation_beats_priors),
}
visual_checks = [
    checks.check(f"{dataset}_{kind}", name, text, judge)
    for dataset in ("clevr_mini", "clevr")
    for kind, those in (("model", MODEL_CHECKS), ("evaluation", EVALUATION_CHECKS))
    for name, (text, judge) in those.items()
]
