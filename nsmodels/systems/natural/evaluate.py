"""Scores of perception on the objects of a split."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from nsmodels.core import artifact
from nsmodels.core.orders import Order
from nsmodels.engine.config import EvaluationConfig
from nsmodels.evaluation.outcomes import Outcomes
from nsmodels.evaluation.sealing import EvaluationResult
from nsmodels.formats.images.cache import read_images
from nsmodels.systems.natural.perception.calibration import BATCH
from nsmodels.systems.natural.perception.decoding import perceive
from nsmodels.systems.natural.perception.network import Perception
from nsmodels.systems.natural.perception.scoring import named_objects, score_beliefs
from nsmodels.systems.natural.perception.sources import read_photographs


def score(model: Perception, order: Order[EvaluationConfig]) -> EvaluationResult:
    """Objects of a split that are found and named as they are; chance and the most frequent name beside them."""
    photographs = read_photographs(order.data, order.config.split)
    config = model.config
    pixels, _ = read_images([Path(p.path) for p in photographs], config.image_width, config.image_height)
    beliefs, _ = perceive(model, pixels, [photograph.graph for photograph in photographs], BATCH)
    found = score_beliefs(photographs, beliefs, model.space, {})
    items, clusters, hits = [], [], []
    for photograph, belief in zip(photographs, beliefs, strict=True):
        right = named_objects(photograph, belief, model.space)
        items += [f"{photograph.graph.image}/{thing.id}" for thing in photograph.graph]
        clusters += [photograph.graph.image] * len(right)
        hits += right.tolist()
    outcomes = Outcomes("objects", order.config.split, items, clusters, np.array(hits, float))
    names = Counter(thing.name for photograph in photographs for thing in photograph.graph)
    majority = max(names.values(), default=0) / max(1, names.total())
    baselines = {"chance": {"objects": 1 / max(1, len(model.space.words.names))}, "majority": {"objects": majority}}
    rows = {"objects": {"objects": outcomes.mean, "interval": outcomes.interval, **found}}
    data = {"source": artifact.describe_input(order.data).source, "split": order.config.split}
    report = {"rows": rows, "headline": "objects", "baselines": baselines, "data": data}
    metrics = {"objects": outcomes.mean, **{f"objects/{name}": value for name, value in found.items()}}
    metrics |= {f"baseline/{name}": row["objects"] for name, row in baselines.items()}
    table = "\n".join(f"{name:<24} {value:.3f}" for name, value in metrics.items())
    return EvaluationResult(report, table, [outcomes], metrics)
