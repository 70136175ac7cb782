"""The networks of a study of baselines: the question alone, beside a small CNN, beside a ResNet, and ViLT."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import nn

from nsmodels.core import disk
from nsmodels.engine import checkpoint
from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.trial import Trial
from nsmodels.layers.answers import vilt
from nsmodels.layers.answers.batches import Pictures, Questions
from nsmodels.layers.answers.classifier import AnswerClassifier, PicturedSizes, convolutions
from nsmodels.layers.answers.config import BaselineStudyConfig, ClassifierConfig, ResidualConfig
from nsmodels.layers.answers.quiz import Quiz, Side
from nsmodels.layers.answers.residual import ResidualViewer, weights_file
from nsmodels.layers.answers.task import AnswerTask, answer_threads

NO_CHECKPOINT = "no checkpoint is configured (vilt.checkpoint)"


@dataclass(frozen=True, eq=False)
class Competitor:
    """A network that is trained over seeds.

    Attributes:
        name: of its row.
        about: in words.
        encode: from "train", "val" or "scored" to questions as arrays.
        build: a network with its first weights.
        settings: what rebuilds it from a checkpoint.
        load: from a checkpoint, and where it lies, to the network.
        by_image: whether the questions of an image follow each other in training.
        values: of its training that differ from the study's.
        origin: checksum of the files that it starts from, which decide its scores too; empty: none.
        sizes: of a reader of questions with a small viewer or none; None: of a large network.
    """

    name: str
    about: str
    encode: Callable[[str], Questions]
    build: Callable[[], nn.Module]
    settings: Mapping[str, Any]
    load: Callable[[Mapping[str, Any], str], nn.Module]
    by_image: bool = True
    values: Mapping[str, Any] | None = None
    origin: str = ""
    sizes: PicturedSizes | None = None

    def trial(self, quiz: Quiz, training: TrainingConfig, seed: int) -> Trial:
        """Its training with a seed."""
        own = training.with_values({**(self.values or {}), "seed": seed})
        splits = {name: self.encode(name) for name in ("train", "val")}
        threads = answer_threads(self.sizes, own, self.by_image) if self.sizes else 0
        return Trial(AnswerTask(splits, self.build, self.settings, own, quiz.loss, self.by_image, threads), own)


def competitors_of(quiz: Quiz, config: BaselineStudyConfig) -> tuple[list[Competitor], dict[str, str]]:
    """The configured networks, and why others are left out, by name. Raises `InputError` for a broken checkpoint."""
    makers: dict[str, Callable[[], Competitor]] = {
        "blind": partial(_classifier, quiz, config, "blind"),
        "cnn_lstm": partial(_classifier, quiz, config, "cnn_lstm"),
        "resnet_lstm": partial(_classifier, quiz, config, "resnet_lstm"),
        "vilt": partial(_vilt, quiz, config),
    }
    left_out = {} if config.vilt.checkpoint or "vilt" not in config.networks else {"vilt": NO_CHECKPOINT}
    chosen = [name for name in makers if name in config.networks and name not in left_out]
    return [makers[name]() for name in chosen], left_out


def _about(name: str, config: BaselineStudyConfig) -> str:
    residual = f"ResNet+LSTM ({config.residual.backbone}, {config.residual.origin})"
    return {"blind": "blind GRU", "cnn_lstm": "CNN+LSTM", "resnet_lstm": residual}[name]


def _classifier(quiz: Quiz, config: BaselineStudyConfig, name: str) -> Competitor:
    sizes, workers = config.classifier, config.training.num_workers
    size = {"blind": (0, 0), "cnn_lstm": (sizes.image_width, sizes.image_height)}
    width, height = size.get(name, (config.residual.image_width, config.residual.image_height))

    def pictures(side: Side) -> Pictures:
        return side.pixels(width, height, workers)

    settings = {
        **{"kind": name, "classifier": sizes.model_dump(mode="json"), "residual": config.residual.model_dump()},
        **{"words": list(quiz.known_words), "answers": list(quiz.choices)},
    }
    return Competitor(
        name,
        _about(name, config),
        quiz.encoder(pictures),
        partial(_build, name, sizes, config.residual, quiz.known_words, quiz.choices, False),
        settings,
        load_classifier,
        by_image=name != "blind",
        origin=_checksum(config.residual) if name == "resnet_lstm" else "",
        sizes=sizes if name in size else None,
    )


def _checksum(config: ResidualConfig) -> str:
    return disk.sha256_of(weights_file(config.weights)) if config.weights and not config.pretrained else ""


def _build(
    kind: str,
    sizes: ClassifierConfig,
    residual: ResidualConfig,
    words: tuple[str, ...],
    answers: tuple[str, ...],
    is_trained: bool,
) -> AnswerClassifier[ClassifierConfig]:
    def small() -> nn.Module:
        return convolutions(sizes.channels, sizes.image_width, sizes.image_height, sizes.hidden_dim)

    def large() -> nn.Module:
        return ResidualViewer(residual, sizes.hidden_dim, is_trained)

    viewer = {"blind": None, "cnn_lstm": small, "resnet_lstm": large}[kind]
    return AnswerClassifier(sizes, words, answers, "lstm" if viewer else "gru", viewer)


def load_classifier(payload: Mapping[str, Any], where: str = "checkpoint") -> AnswerClassifier[ClassifierConfig]:
    """The classifier of a checkpoint of a study, in evaluation mode.

    Raises `InputError` naming `where` when configuration or weights do not fit.
    """
    names = ("kind", "classifier", "residual", "words", "answers")
    kind, sizes, residual, words, answers = (checkpoint.settings_of(payload, name, where) for name in names)
    known = ClassifierConfig.from_mapping(sizes, where), ResidualConfig.from_mapping(residual, where)
    model = _build(kind, *known, tuple(words), tuple(answers), True)
    checkpoint.fill(model, payload["model_state_dict"], where)
    return model.eval()


def _vilt(quiz: Quiz, config: BaselineStudyConfig) -> Competitor:
    own = config.vilt
    folder = vilt.require(own.checkpoint)
    tokens, settings = vilt.Tokens.of(folder, own.max_words), vilt.read_settings(folder)

    def pictures(side: Side) -> Pictures:
        return side.pixels(own.image_width, own.image_height, config.training.num_workers)

    def build() -> nn.Module:
        return vilt.ViltClassifier(settings, quiz.choices, tokens, folder)

    known = {"answers": list(quiz.choices), "tokenizer": tokens.document, "max_words": own.max_words}
    return Competitor(
        "vilt",
        f"ViLT, fine-tuned from {folder}",
        quiz.encoder(pictures, tokens.numbers),
        build,
        {"transformer": settings, **known},
        vilt.ViltClassifier.from_checkpoint,
        values={"lr": own.lr, "batch_size": own.batch_size},
        origin=vilt.checksum(folder),
    )
