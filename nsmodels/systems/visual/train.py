"""Training of the visual reasoner: perception, parser, then the baseline; sealed as one checkpoint folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nsmodels.core import artifact
from nsmodels.core.artifact import Manifest, Part
from nsmodels.datasets.clevr.files.format import check_split, read_questions, read_scenes
from nsmodels.engine import checkpoint, loop
from nsmodels.engine.phases import Phases, prefixed, write_history
from nsmodels.engine.runtime import resolve_device
from nsmodels.engine.tracking import Tracker
from nsmodels.systems.visual import load_network, phases
from nsmodels.systems.visual.baselines.priors import PRIORS, Prior
from nsmodels.systems.visual.config import CODE_VERSION, VisualConfig
from nsmodels.systems.visual.perception.images import read_images
from nsmodels.systems.visual.perception.matching import matched
from nsmodels.systems.visual.perception.network import Perception, find_candidates

MAKER = "nsmodels.systems.visual"
REASONER = ("perception", "parser")
NETWORKS = (*REASONER, "baseline")
# Images of the training split on which the strength of a peak is turned into a probability.
CALIBRATION_IMAGES = 400
MATCH_DISTANCE = 0.02  # of the image width


def train(
    config: VisualConfig,
    data: Path,
    folder: Path,
    key: str = "visual_model",
    data_key: str = "data",
    trackers: Sequence[Tracker] = (),
    is_forced: bool = False,
) -> Manifest:
    """Train the networks on the CLEVR tree `data` and seal them in `folder`; reuse an equal checkpoint.

    A stopped run continues where it was. Raises `InputError` for bad data, and when the run was interrupted.
    """
    recipe: Any = {"config": config.relevant(), "code_version": CODE_VERSION, "seed": config.training.seed}
    recipe["inputs"] = {data_key: data}
    if found := artifact.kept(folder, is_forced, **recipe):
        return found
    for split in ("train", "val"):
        check_split(data, split)  # a question without its image must not come to light after hours
    with artifact.build(folder, key=key, maker=MAKER, **recipe) as part:
        part.metrics |= train_perception(config, data, part, trackers)
        part.metrics |= train_parser(config, data, part, trackers)
        part.metrics |= train_baseline(config, data, part, trackers)
        part.metrics |= described(part)
        # Last: a training that fails at once leaves nothing, and is then thrown away.
        record_training_data(config, data, part)
        write_history(part, NETWORKS)
    return artifact.read_manifest(folder)


def described(part: Part) -> dict[str, Any]:
    """The size of the reasoner and what its training took, the baseline not counted."""
    spent = {
        f"train_{name}": sum(part.metrics[f"{network}/{there}"] for network in REASONER)
        for name, there in (("cpu_seconds", "cpu_seconds"), ("wall_seconds", "seconds"))
    }
    networks = [load_network(part.path / name / checkpoint.BEST, "cpu") for name in REASONER]
    return {"num_parameters": sum(p.numel() for network in networks for p in network.parameters()), **spent}


def record_training_data(config: VisualConfig, data: Path, part: Part) -> None:
    """How many images and questions the networks learn from, and the answers that training makes one expect."""
    questions = read_questions(data, "train")
    part.metrics["num_train_images"] = len(read_scenes(data, "train"))
    part.metrics["num_train_questions"] = len(phases.parser_questions(config, questions))
    prior = Prior.fitted(
        questions, f"the train split of the checkpoint's data ({part.source}, {len(questions)} questions)"
    )
    artifact.write_json(part.path / PRIORS, asdict(prior))


def train_perception(config: VisualConfig, data: Path, part: Part, trackers: Sequence[Tracker]) -> dict[str, Any]:
    """Train perception in `perception/` and turn its peaks into probabilities in `calibration.json`."""
    fit = fit_phase("perception", config, data, part.path, trackers)
    presence = fit_presence(part.path / "perception" / "best.pt", data, resolve_device(config.training.device))
    artifact.write_json(part.path / "calibration.json", {"presence_map": presence})
    return prefixed("perception", fit)


def train_parser(config: VisualConfig, data: Path, part: Part, trackers: Sequence[Tracker]) -> dict[str, Any]:
    """Train the parser in `parser/`."""
    return prefixed("parser", fit_phase("parser", config, data, part.path, trackers))


def train_baseline(config: VisualConfig, data: Path, part: Part, trackers: Sequence[Tracker]) -> dict[str, Any]:
    """Train the CNN+LSTM baseline in `baseline/`, unless it is switched off."""
    if not config.baseline.is_enabled:
        return {}
    return prefixed("baseline", fit_phase("baseline", config, data, part.path, trackers))


def fit_phase(phase: str, config: VisualConfig, data: Path, folder: Path, trackers: Sequence[Tracker]) -> loop.Fit:
    """Train one network in `folder/phase`, in several processes when `training.num_processes` says so."""
    shared = Phases("nsmodels.systems.visual.phases", config, data, folder, config.training.num_processes)
    return shared.fit(phase, lambda: phases.make_task(phase, config, data), trackers)


def fit_presence(weights: Path, data: Path, device: torch.device) -> list[float]:
    """Slope and intercept of Platt's (1999) logistic map from a peak's logit to P(an object stands there)."""
    model = Perception.from_checkpoint(checkpoint.load(weights), str(weights))
    logits, is_object = _labelled_peaks(model.to(device), data)
    return _logistic_fit(logits, is_object)


def _labelled_peaks(model: Perception, data: Path) -> tuple[np.ndarray, np.ndarray]:
    scenes = read_scenes(data, "train")[:CALIBRATION_IMAGES]
    shape = (model.config.image_width, model.config.image_height)
    images, sizes = read_images(data, "train", scenes, *shape)
    logits, labels = [], []
    for first in range(0, len(scenes), 32):
        pixels = torch.tensor(images[first : first + 32]).permute(0, 3, 1, 2)
        with torch.inference_mode():
            found = find_candidates(model, pixels.to(model.presence_map.device))
        for row, scene in enumerate(scenes[first : first + 32]):
            size = sizes[first + row]
            true = np.array([o["pixel_coords"][:2] for o in scene["objects"]], float) + 0.5
            pairs = matched(found.points[row].cpu().numpy() * size, true, MATCH_DISTANCE * size[0])
            hit = {pair[0] for pair in pairs}
            logits.append(found.logits[row].cpu().numpy())
            labels.append([k in hit for k in range(len(logits[-1]))])
    return np.concatenate(logits), np.concatenate(labels)


def _logistic_fit(logits: np.ndarray, labels: np.ndarray, steps: int = 50) -> list[float]:
    """Two parameters by Newton's method; a weak pull to the identity keeps separable data finite."""
    known = np.isfinite(logits)
    design = np.column_stack([logits[known], np.ones(known.sum())]).astype(float)
    wanted, weights, prior = labels[known].astype(float), np.array([1.0, 0.0]), np.array([1.0, 0.0])
    for _ in range(steps):
        chance = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        slope = design.T @ (chance - wanted) + (weights - prior)
        curve = design.T @ (design * (chance * (1 - chance))[:, None]) + np.eye(2)
        weights = weights - np.linalg.solve(curve, slope)
    return [float(weights[0]), float(weights[1])]
