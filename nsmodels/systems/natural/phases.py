"""The phases of training: the trial of each on the shared loop, and the network in a file of its checkpoint."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

from torch import nn

from nsmodels.datasets.gqa.files.format import Question, each_question
from nsmodels.engine import checkpoint
from nsmodels.engine.batching import epoch_order
from nsmodels.engine.phases import sharing
from nsmodels.engine.runtime import memory_of, resolve_device
from nsmodels.engine.trial import Trial
from nsmodels.formats.scenes.vocabulary import SceneVocabulary
from nsmodels.layers.vision.backbone import check_backbone
from nsmodels.systems.natural.baselines.network import AnswerClassifier
from nsmodels.systems.natural.baselines.task import AnswerTask, read_asked
from nsmodels.systems.natural.config import NaturalConfig
from nsmodels.systems.natural.language.parser import network_from_checkpoint
from nsmodels.systems.natural.language.task import ParserTask
from nsmodels.systems.natural.perception.network import Perception
from nsmodels.systems.natural.perception.task import PerceptionTask

NETWORKS: dict[str, Any] = {
    "perception": Perception.from_checkpoint,
    "parser": network_from_checkpoint,
    "blind": AnswerClassifier.from_checkpoint,
    "cnn_lstm": AnswerClassifier.from_checkpoint,
}
HAS_IMAGE = {"blind": False, "cnn_lstm": True}


def make_trial(phase: str, config: NaturalConfig, data: Path) -> Trial:
    """The task of a phase on a GQA or VQA folder, and how it is trained. Raises InputError for bad data."""
    if phase == "perception":
        return Trial(PerceptionTask(config, data), config.training)
    if phase == "parser":
        training = sharing(config.parser_training, config.training)
        questions = training_questions(data, config, config.parser.max_questions)
        validation = validation_questions(data, config)
        return Trial(ParserTask(questions, validation, SceneVocabulary.read(data), config.parser, training), training)
    training = sharing(getattr(config, f"{phase}_training"), config.training)
    asked = {
        "train": training_questions(data, config, config.baseline.max_questions),
        "val": validation_questions(data, config),
    }
    has_image = HAS_IMAGE[phase]
    splits = {
        name: read_asked(data, questions, config.baseline, has_image, training.num_workers)
        for name, questions in asked.items()
    }
    return Trial(AnswerTask(splits, config.baseline, training, has_image), training)


def training_questions(data: Path, config: NaturalConfig, most: int) -> list[Question]:
    """The balanced training questions, `most` of them drawn at random; 0: all."""
    questions = list(each_question(data, config.train_split))
    if not most or most >= len(questions):
        return questions
    order = epoch_order(len(questions), config.training.seed, 0)[:most]
    return [questions[k] for k in sorted(order.tolist())]


def validation_questions(data: Path, config: NaturalConfig) -> list[Question]:
    """The first balanced questions of the validation split."""
    return list(islice(each_question(data, config.val_split), config.parser.max_val_questions or None))


def check_config(config: NaturalConfig) -> None:
    """Raise InputError for a backbone that the device cannot train."""
    training = config.training
    micro_batch = -(-training.batch_size // (training.accumulate_steps * training.num_processes))
    memory = memory_of(resolve_device(training.device))
    check_backbone(config.perception, micro_batch, memory, config.perception.max_objects)


def load_network(path: Path, device: str = "auto") -> nn.Module:
    """The network in one checkpoint file, whose folder is named after its phase, in evaluation mode."""
    network = NETWORKS[path.parent.name](checkpoint.load(path), str(path))
    return network.to(resolve_device(device)).eval()
