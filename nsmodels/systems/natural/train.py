"""Training beyond the phases: calibration of perception, priors of the answers, and the size of the training data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nsmodels.core.artifact import Part
from nsmodels.core.orders import Order
from nsmodels.datasets.gqa.programs.execution import compile
from nsmodels.datasets.vqa.scoring.vocabulary import AnswerVocabulary
from nsmodels.engine import checkpoint
from nsmodels.engine.runtime import resolve_device
from nsmodels.formats.images.cache import read_images
from nsmodels.systems.natural.answering import posing
from nsmodels.systems.natural.answering.choosing.questions import read_asked
from nsmodels.systems.natural.answering.judging import fit_verdicts
from nsmodels.systems.natural.baselines.answer_priors import AnswerPriors
from nsmodels.systems.natural.baselines.priors import CLEVR_PRIORS, Priors
from nsmodels.systems.natural.beliefs import restricted
from nsmodels.systems.natural.config import NaturalConfig
from nsmodels.systems.natural.folders import folders_of
from nsmodels.systems.natural.language.asking import Question
from nsmodels.systems.natural.perception import calibration, frequencies
from nsmodels.systems.natural.perception.decoding import perceive
from nsmodels.systems.natural.perception.mixing import shares_of
from nsmodels.systems.natural.perception.network import Perception
from nsmodels.systems.natural.perception.sources import read_photographs, to_calibrate_on, vocabulary_of
from nsmodels.systems.natural.phases import training_questions
from nsmodels.systems.natural.reasoning.execution import SoftExecutor
from nsmodels.systems.natural.reasoning.lexicon import Lexicon


def calibrate_perception(order: Order[NaturalConfig], part: Part) -> dict[str, Any]:
    """Turn peaks of the trained perception into probabilities: writes `calibration.json`, and `names.json`.

    Training images alone take part, so that all others may be scored; with `calibration_images` those of them that
    perception has not seen.
    """
    weights, config = part.path / "perception" / checkpoint.BEST, order.config
    model = Perception.from_checkpoint(checkpoint.load(weights), str(weights))
    folders = folders_of(config.dataset, order.inputs.datasets.values())
    read = {
        kind: read_photographs(data, config.train_split, config.max_images) for kind, data in folders.by_kind.items()
    }
    model = model.to(resolve_device(config.training.device))
    frequencies.write(part.path, [each for found in read.values() for each in found])
    # As many of each folder: the first images of all would be those of one.
    held_out, most = config.calibration_images, calibration.NUM_IMAGES // len(read)
    chosen = [each for found in read.values() for each in to_calibrate_on(found, held_out, most)]
    calibration.write(part.path, calibration.calibrate(model, chosen, config.training.num_workers))
    sizes = {kind: len(found) - held_out for kind, found in read.items()}
    shares = zip(sizes, shares_of(list(sizes.values()), config.mixing_temperature), strict=True)
    return {"num_train_images": sum(sizes.values())} | (
        {f"share/{kind}": float(share) for kind, share in shares} if len(sizes) > 1 else {}
    )


def record_training_questions(order: Order[NaturalConfig], part: Part) -> dict[str, Any]:
    """Number of questions that the parser learns from; writes the priors of all training answers."""
    config = order.config
    folders = folders_of(config.dataset, order.inputs.datasets.values())
    found = {}
    if "gqa" in folders.by_kind:
        questions = training_questions(folders.gqa, config, 0)
        Priors.fitted(questions).write(part.path)
        _calibrate_answers(order, folders.gqa, part, questions)
        found["num_train_questions"] = min(len(questions), config.parser.max_questions or len(questions))
    if "clevr" in folders.by_kind:
        questions = training_questions(folders.clevr, config, 0)
        Priors.fitted(questions).write(part.path, CLEVR_PRIORS)
        found["num_clevr_train_questions"] = min(len(questions), config.parser.max_questions or len(questions))
    if "vqa" in folders.by_kind:
        asked = read_asked(folders.vqa, config.train_split, num_images=config.max_images)
        AnswerPriors.fitted(asked.annotations).write(part.path)
        AnswerVocabulary.read(folders.vqa).write(part.path)
        found["num_vqa_train_questions"] = min(len(asked), config.answers.max_questions or len(asked))
    return found


def _calibrate_answers(order: Order[NaturalConfig], data: Path, part: Part, questions: list[Question]) -> None:
    """Turn what is believed of what questions are about into probabilities, on training images.

    Writes `posing.json`, whether what they refer to is there, and `verdicts.json`, whether what they ask is so.
    """
    config = order.config
    model = calibration.load_calibrated(part.path, resolve_device(config.training.device))
    photographs = read_photographs(data, config.train_split, config.max_images)
    photographs = to_calibrate_on(photographs, config.calibration_images, calibration.NUM_IMAGES)
    paths, words = [Path(each.path) for each in photographs], vocabulary_of(data)
    width, height = model.config.image_width, model.config.image_height
    pixels, sizes = read_images(paths, width, height, config.training.num_workers)
    beliefs, _ = perceive(model, pixels, [(int(w), int(h)) for w, h in sizes.tolist()], calibration.BATCH)
    images, lexicon = [each.graph.image for each in photographs], Lexicon(words)
    executors = {
        image: SoftExecutor(restricted(belief, words), lexicon) for image, belief in zip(images, beliefs, strict=True)
    }
    scenes = {each.graph.image: compile(each.graph, words) for each in photographs}
    asked = [question for question in questions if question.image in executors]
    posing.fit_posing(asked[:: max(1, len(asked) // 1000)], scenes, executors, 0).write(part.path)
    fit_verdicts(asked, scenes, executors).write(part.path)
