"""The phases of training: the trial of each on the shared loop, and the network in a file of its checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from nsmodels.datasets.clevr.files.format import read_questions, training_splits
from nsmodels.datasets.clevr.vocabulary import MAX_OBJECTS
from nsmodels.engine import checkpoint
from nsmodels.engine.phases import sharing
from nsmodels.engine.runtime import memory_of, resolve_device
from nsmodels.engine.trial import Trial
from nsmodels.layers import onnx_graphs
from nsmodels.layers.vision.backbone import check_backbone
from nsmodels.systems.visual.baselines import cnn_lstm
from nsmodels.systems.visual.baselines.task import tree_task
from nsmodels.systems.visual.config import VisualConfig
from nsmodels.systems.visual.language.parser import Parser
from nsmodels.systems.visual.language.task import ParserTask
from nsmodels.systems.visual.perception.network import Perception
from nsmodels.systems.visual.perception.task import PerceptionTask

NETWORKS: dict[str, Any] = {
    "perception": Perception.from_checkpoint,
    "parser": Parser.from_checkpoint,
    "baseline": cnn_lstm.from_checkpoint,
}


def make_trial(phase: str, config: VisualConfig, data: Path) -> Trial:
    """The task of a phase on the CLEVR tree `data`, and how it is trained. Raises InputError for bad data."""
    splits = training_splits(data, config.train_split, config.val_split)
    if phase == "perception":
        return Trial(PerceptionTask(config.perception, config.training, data, splits), config.training)
    if phase == "baseline":
        training = sharing(config.baseline_training, config.training)
        return Trial(tree_task(data, config.baseline, training, splits), training)
    training = sharing(config.parser_training, config.training)
    questions = parser_questions(config, read_questions(data, splits[0]))
    return Trial(ParserTask(questions, read_questions(data, splits[1]), config.parser, training), training)


def check_config(config: VisualConfig) -> None:
    """Raise InputError for a backbone that the device cannot train, and for an export without its packages."""
    if config.has_export:
        onnx_graphs.require_exporter("--no-has-export")
    micro_batch = -(-config.training.batch_size // (config.training.accumulate_steps * config.training.num_processes))
    memory = memory_of(resolve_device(config.training.device))
    check_backbone(config.perception, micro_batch, memory, MAX_OBJECTS)


def load_network(path: Path, device: str = "auto") -> nn.Module:
    """The network in one checkpoint file, whose folder is named after its phase, in evaluation mode."""
    network = NETWORKS[path.parent.name](checkpoint.load(path), str(path))
    return network.to(resolve_device(device)).eval()


def parser_questions(config: VisualConfig, questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those training questions that the parser sees."""
    return questions[: config.parser.max_questions or None]
