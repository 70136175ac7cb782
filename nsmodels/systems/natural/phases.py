"""The phases of training: the trial of each on the shared loop, and the network in a file of its checkpoint."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

from torch import nn

from nsmodels.core.orders import Inputs
from nsmodels.datasets.vqa.scoring.vocabulary import AnswerVocabulary
from nsmodels.engine import checkpoint
from nsmodels.engine.batching import epoch_order
from nsmodels.engine.phases import sharing
from nsmodels.engine.runtime import memory_of, resolve_device
from nsmodels.engine.trial import Trial
from nsmodels.layers.vision.backbone import check_backbone
from nsmodels.systems.natural.answering.choosing.network import AnswerNetwork
from nsmodels.systems.natural.answering.choosing.questions import read_asked as read_asked_people
from nsmodels.systems.natural.answering.choosing.task import AnswersTask
from nsmodels.systems.natural.baselines import network as baseline
from nsmodels.systems.natural.baselines.soft import soft_answer_task
from nsmodels.systems.natural.baselines.task import answer_task, read_asked
from nsmodels.systems.natural.config import NaturalConfig
from nsmodels.systems.natural.folders import folders_of
from nsmodels.systems.natural.language.asking import Question, each_question
from nsmodels.systems.natural.language.parser import network_from_checkpoint
from nsmodels.systems.natural.language.task import ParserTask
from nsmodels.systems.natural.perception.network import Perception
from nsmodels.systems.natural.perception.sources import vocabulary_of
from nsmodels.systems.natural.perception.task import PerceptionTask

NETWORKS: dict[str, Any] = {
    "perception": Perception.from_checkpoint,
    "parser": network_from_checkpoint,
    "blind": baseline.from_checkpoint,
    "cnn_lstm": baseline.from_checkpoint,
    "answers": AnswerNetwork.from_checkpoint,
    "vqa_blind": baseline.from_checkpoint,
    "vqa_cnn_lstm": baseline.from_checkpoint,
    "clevr_parser": network_from_checkpoint,
    "clevr_blind": baseline.from_checkpoint,
    "clevr_cnn_lstm": baseline.from_checkpoint,
}
HAS_IMAGE = {"blind": False, "cnn_lstm": True}  # of a baseline, whatever it is trained on
ON_CLEVR, LONGER = "clevr_", 2  # its phases; its programs have that many times as many tokens
ON_VQA = ("answers", "vqa_blind", "vqa_cnn_lstm")


def make_trial(phase: str, config: NaturalConfig, inputs: Inputs) -> Trial:
    """The task of a phase on folders of data, and how it is trained. Raises InputError for bad data."""
    folders = folders_of(config.dataset, inputs.datasets.values())
    if phase == "perception":
        return Trial(PerceptionTask(config, *folders.paths), config.training)
    if phase in ON_VQA:
        return vqa_trial(phase, config, folders.vqa, inputs.earlier)
    if phase.startswith(ON_CLEVR):
        return program_trial(phase.removeprefix(ON_CLEVR), config, folders.clevr, LONGER)
    return program_trial(phase, config, folders.gqa)


def program_trial(phase: str, config: NaturalConfig, data: Path, longer: int = 1) -> Trial:
    """The task of a phase on questions with programs, which may be so many times longer than configured."""
    training = sharing(getattr(config, f"{phase}_training"), config.training)
    if phase == "parser":
        questions = training_questions(data, config, config.parser.max_questions)
        validation = validation_questions(data, config)
        parser = config.parser.model_copy(update={"max_program_length": longer * config.parser.max_program_length})
        return Trial(ParserTask(questions, validation, vocabulary_of(data), parser, training), training)
    asked = {
        "train": training_questions(data, config, config.baseline.max_questions),
        "val": validation_questions(data, config),
    }
    has_image = HAS_IMAGE[phase]
    splits = {
        name: read_asked(data, questions, config.baseline, has_image, training.num_workers)
        for name, questions in asked.items()
    }
    return Trial(answer_task(splits, config.baseline, training, has_image), training)


def vqa_trial(phase: str, config: NaturalConfig, data: Path, earlier: Path | None) -> Trial:
    """The task of a phase on the questions of a VQA folder; `earlier`: the folder with the trained perception."""
    training = sharing(getattr(config, f"{phase.removeprefix('vqa_')}_training"), config.training)
    is_head = phase == "answers"
    most, seed = (config.answers if is_head else config.baseline).max_questions, config.training.seed
    splits = {
        "train": read_asked_people(data, config.train_split, most, seed, config.max_images),
        "val": read_asked_people(data, config.val_split, num_images=config.max_val_images),
    }
    answers = AnswerVocabulary.read(data)
    if is_head:
        assert earlier is not None, "answers are trained after perception"
        return Trial(AnswersTask(splits, answers, earlier, config.answers, training), training)
    has_image = HAS_IMAGE[phase.removeprefix("vqa_")]
    return Trial(soft_answer_task(splits, answers, config.baseline, training, has_image), training)


def training_questions(data: Path, config: NaturalConfig, most: int) -> list[Question]:
    """The training questions, of GQA the balanced ones, `most` of them drawn at random; 0: all."""
    questions = list(each_question(data, config.train_split))
    if not most or most >= len(questions):
        return questions
    order = epoch_order(len(questions), config.training.seed, 0)[:most]
    return [questions[k] for k in sorted(order.tolist())]


def validation_questions(data: Path, config: NaturalConfig) -> list[Question]:
    """The first questions of the validation split, of GQA the balanced ones."""
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
