"""Size of a model: its parameters, and the multiplications and additions for one question about one image; premises."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from nsmodels.studies.comparison import Counts, Size
from nsmodels.systems.natural.answering.loading import load
from nsmodels.systems.natural.answering.premises import Premises, num_degrees, num_rules
from nsmodels.systems.natural.answering.respondent import Respondent
from nsmodels.systems.natural.config import NaturalConfig, NaturalEvaluation
from nsmodels.systems.natural.evaluation.studies.config import DEGREES, RULES
from nsmodels.systems.natural.perception.network import Perception

QUESTION = "Is the small dog to the left of the red car on the street?"


def measure_size(folder: Path, config: NaturalEvaluation) -> Size:
    """Parameters and operations of what answers with a configuration of the evaluation.

    Operations are those of matrix products and convolutions: perception with all objects that it can read, parser,
    chosen answer. The execution of programs is no matrix product, and not counted.
    """
    model = load(folder, "cpu")
    networks: list[nn.Module] = [model.perception]
    reasoner = model.reasoner if isinstance(model, Respondent) else model
    if reasoner is not None and config.programs:
        networks.append(reasoner.parser.network)
    if isinstance(model, Respondent):
        networks.append(model.network)
    for network in networks:
        network.requires_grad_(False)  # the counter asks inputs for gradients, which inference mode forbids
    counter = FlopCounterMode(display=False)
    with counter, torch.inference_mode():
        _perceive(model.perception)
        if reasoner is not None and config.programs:
            reasoner.parse([QUESTION])
        if isinstance(model, Respondent):
            model.choose(np.zeros(1, model.network.shape.record), [(0, QUESTION)])
    num_parameters = sum(p.numel() for network in networks for p in network.parameters())
    return Size(num_parameters, int(counter.get_total_flops()))


def count(_: NaturalConfig, config: NaturalEvaluation) -> Counts:
    """What programs are executed over: how finely a fact is believed, and how many rules derive further ones."""
    premises = Premises(config.soft, config.rules)
    return {DEGREES: num_degrees(premises), RULES: num_rules(premises)}


def _perceive(model: Perception) -> Any:
    config = model.config
    images = torch.zeros(1, 3, config.image_height, config.image_width)
    boxes = torch.full((1, config.max_objects, 4), 0.5)
    return model(images, boxes[..., :2], boxes, torch.ones(1, config.max_objects, dtype=torch.bool))
