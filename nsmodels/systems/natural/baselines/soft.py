"""Training of the classifiers of answers on VQA, with soft targets, and their answers to questions."""

from __future__ import annotations

from collections.abc import Mapping

from nsmodels.datasets.vqa.scoring.vocabulary import AnswerVocabulary
from nsmodels.engine.config import TrainingConfig
from nsmodels.formats.images.cache import read_images
from nsmodels.layers.answers.batches import Pictures
from nsmodels.layers.answers.task import AnswerTask, answer_threads, predict, soft_loss
from nsmodels.systems.natural.answering.choosing.questions import AskedQuestions, encoded_asked
from nsmodels.systems.natural.baselines.network import Classifier, make_classifier
from nsmodels.systems.natural.baselines.task import settings
from nsmodels.systems.natural.config import BaselineConfig
from nsmodels.systems.natural.language.tokens import Vocabulary, words_of


def soft_answer_task(
    splits: Mapping[str, AskedQuestions],
    answers: AnswerVocabulary,
    config: BaselineConfig,
    training: TrainingConfig,
    has_image: bool,
) -> AnswerTask:
    """Training of a classifier on "train" and "val" with the words of the training questions."""
    vocabulary = Vocabulary.from_questions(words_of(each.text) for each in splits["train"].questions)
    return AnswerTask(
        {
            name: encoded_asked(asked, vocabulary, answers, pictures_of(asked, config, has_image))
            for name, asked in splits.items()
        },
        lambda: make_classifier(config, vocabulary.words, answers.answers, has_image),
        settings(config, vocabulary, answers.answers, has_image),
        training,
        soft_loss,
        by_image=has_image,
        num_threads=answer_threads(config, training, has_image),
    )


def pictures_of(asked: AskedQuestions, config: BaselineConfig, has_image: bool) -> Pictures:
    """The pixels of the images of questions at the size of the network, or none."""
    if not has_image:
        return Pictures.none(len(asked.paths))
    return Pictures.pixels(read_images(list(asked.paths), config.image_width, config.image_height)[0])


def predict_soft(model: Classifier, asked: AskedQuestions, answers: AnswerVocabulary) -> list[str]:
    """The answer of a trained baseline to each question."""
    pictures = pictures_of(asked, model.config, model.viewer is not None)
    found = predict(model, encoded_asked(asked, Vocabulary(model.known_words), answers, pictures))
    return [model.answers[number] for number in found.tolist()]
