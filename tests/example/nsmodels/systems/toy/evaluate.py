"""Scores of the classifier, by two metrics of opposite direction."""

import numpy as np
import torch
from torch.nn import functional

from nsmodels.core import artifact
from nsmodels.core.orders import Order
from nsmodels.engine.config import EvaluationConfig
from nsmodels.evaluation.outcomes import Outcomes
from nsmodels.evaluation.sealing import EvaluationResult
from nsmodels.systems.toy.task import Network


def score(network: Network, order: Order[EvaluationConfig]) -> EvaluationResult:
    """Accuracy (higher is better) and negative log-likelihood in nats (lower is better) of every point of a split."""
    data, split = np.load(order.data / f"{order.config.split}.npz"), order.config.split
    labels, points = torch.as_tensor(data["labels"]).float(), torch.as_tensor(data["points"])
    with torch.inference_mode():
        logits = network(points.to(network.decoder.weight.device)).cpu()
    nats = functional.binary_cross_entropy_with_logits(logits, labels, reduction="none").double().numpy()
    hits, items = ((logits > 0) == (labels > 0.5)).double().numpy(), [f"{split}/{k}" for k in range(len(labels))]
    found = [
        Outcomes("accuracy", split, items, items, hits),
        Outcomes("nll", split, items, items, nats, unit="nats", bounds=(0.0, None), direction="lower"),
    ]
    majority = float(max(labels.mean(), 1 - labels.mean()))
    baselines = {"chance": 0.5, "majority": majority}
    rows = {each.metric: {each.metric: each.mean, "interval": each.interval} for each in found}
    report = {"rows": rows, "headline": "accuracy", "baselines": baselines}
    report["data"] = {"source": artifact.describe_input(order.data).source, "split": split}
    metrics = {each.metric: each.mean for each in found} | {f"baseline/{k}": v for k, v in baselines.items()}
    table = "\n".join(f"{name:<10} {value:.3f}" for name, value in metrics.items())
    return EvaluationResult(report, table, found, metrics | {"baseline/nll/chance": float(np.log(2))})
