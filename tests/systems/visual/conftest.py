"""Scenes, questions and blurred beliefs that the tests of the visual system share."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nsmodels.systems.visual.evaluation.scoring import to_released_form
from nsmodels.systems.visual.reasoning.belief import SceneBelief, relation_probabilities

OFFICIAL = Path(__file__).parents[2] / "data" / "clevr_official" / "CLEVR_v1.0"


def _entries(kind: str) -> list[dict[str, Any]]:
    files = [OFFICIAL / kind / f"CLEVR_{split}_{kind}.json" for split in ("train", "val")]
    return [entry for file in files for entry in json.loads(file.read_text())[kind]]


@pytest.fixture(scope="session")
def official_scenes() -> list[dict[str, Any]]:
    """Eight official scenes, numbered anew: the files of the two splits count separately."""
    return [{**scene, "image_index": number} for number, scene in enumerate(_entries("scenes"))]


@pytest.fixture(scope="session")
def official_questions(official_scenes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Ten official questions on each of the official scenes."""
    number = {scene["image_filename"]: scene["image_index"] for scene in official_scenes}
    return [
        {**q, "image_index": number[q["image_filename"]], "program": to_released_form(q["program"])}
        for q in _entries("questions")
    ]


@pytest.fixture(scope="session")
def blurred() -> Callable[..., SceneBelief]:
    """A calibrated uncertain belief of a scene: softmax of a Gaussian signal whose mean equals its variance."""

    def blur(scene: dict[str, Any], rng: np.random.Generator, signal: float = 12.0) -> SceneBelief:
        truth = SceneBelief.from_scene(scene)
        attributes = {}
        for name, table in truth.attributes.items():
            logits = signal * table + np.sqrt(signal) * rng.standard_normal(table.shape)
            weights = np.exp(logits - logits.max(axis=1, keepdims=True))
            attributes[name] = weights / weights.sum(axis=1, keepdims=True)
        coords = truth.coords + 0.08 * rng.standard_normal(truth.coords.shape)
        presence = np.full(len(truth), 0.99)
        return SceneBelief(presence, attributes, coords, truth.pixels, truth.image_size, relation_probabilities(coords))

    return blur
