"""Training of the question parser: batches, curriculum, loss, exact match."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from nsmodels.core.errors import InputError
from nsmodels.engine.batching import Batches, Part, generator, split_batches, split_order
from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.task import Shard, Task
from nsmodels.systems.visual.config import ParserConfig
from nsmodels.systems.visual.language import grammar
from nsmodels.systems.visual.language.fluency import Fluency
from nsmodels.systems.visual.language.paraphrases import paraphrases
from nsmodels.systems.visual.language.parser import PARSE_BATCH, Parser
from nsmodels.systems.visual.language.tokens import UNKNOWN, Vocabulary, words_of

IGNORE = -1  # target beyond the end of a program
WINDOW = 16  # batches that are sorted by length together


@dataclass(frozen=True)
class QuestionBatch:
    """Questions and their programs, padded to the longest of the batch.

    `previous`, `slots`, `num_open`: decoder inputs before each token of `targets`; see `grammar.slots`.
    """

    words: Int[Tensor, "b s"]
    lengths: Int[Tensor, " b"]
    previous: Int[Tensor, "b t"]
    slots: Int[Tensor, "b t"]
    num_open: Int[Tensor, "b t"]
    targets: Int[Tensor, "b t"]

    def to(self, device: torch.device | str, **options: Any) -> QuestionBatch:
        """The batch on `device`."""
        return QuestionBatch(**{name: value.to(device, **options) for name, value in vars(self).items()})


class EncodedQuestions:
    """Questions and programs as padded integer arrays.

    Args:
        questions: released question dicts with `question` and `program`.
        vocabulary: known words; any other becomes the unknown word.

    Raises `InputError` for a question without words or a program that is not well-typed.
    """

    def __init__(self, questions: list[dict[str, Any]], vocabulary: Vocabulary) -> None:
        rows = [vocabulary.numbers(item["question"]) for item in questions]
        for number, row in enumerate(rows):
            if not row:
                raise InputError(f"question {number}: expected words, got {questions[number]['question']!r}")
        tokens = [grammar.linearise(item["program"]) for item in questions]
        slots = [grammar.slots(row) for row in tokens]
        self.words = _padded(rows, 0)
        self.lengths = np.array([len(row) for row in rows])
        self.targets = _padded(tokens, IGNORE)
        self.previous = _padded([[grammar.START, *row[:-1]] for row in tokens], grammar.START)
        self.slots = _padded([[slot for slot, _ in row] for row in slots], grammar.CLOSED)
        self.num_open = _padded([[number for _, number in row] for row in slots], 0)
        self.program_lengths = np.array([len(row) for row in tokens])

    def __len__(self) -> int:
        return len(self.lengths)

    def batch(self, rows: np.ndarray) -> QuestionBatch:
        """The questions `rows`, int (b,), padded to the longest of them."""
        s, t = self.lengths[rows].max(), self.program_lengths[rows].max()
        cut = {"words": s, "previous": t, "slots": t, "num_open": t, "targets": t}
        arrays = {name: getattr(self, name)[rows, :width] for name, width in cut.items()}
        return QuestionBatch(
            lengths=torch.from_numpy(self.lengths[rows]),
            **{name: torch.from_numpy(array).long() for name, array in arrays.items()},
        )


@final
class ParserTask(Task):
    """Training of the parser on questions with programs; a curriculum admits longer programs in later epochs.

    Args:
        train, val: released question dicts with `question` and `program`.
        config: the parser.
        training: its batch size, epochs, curriculum and seed are used.
    """

    num_threads = 1

    def __init__(
        self, train: list[dict[str, Any]], val: list[dict[str, Any]], config: ParserConfig, training: TrainingConfig
    ) -> None:
        self.config, self.training = config, training
        train = with_paraphrases(train, config.paraphrases, training.seed)
        self.vocabulary = Vocabulary.from_questions(item["question"] for item in train)
        self.fluency = Fluency.from_questions(words_of(item["question"]) for item in train)
        self.splits = {
            "train": EncodedQuestions(train, self.vocabulary),
            "val": EncodedQuestions(val, self.vocabulary),
        }

    def build(self) -> Parser:
        """A parser with random weights and the vocabulary of the training questions."""
        return Parser(self.config, self.vocabulary.words, sorted(self.fluency.known))

    def batches(self, split: str, epoch: int, shard: Shard) -> Batches:
        """Batches of questions of similar length; training batches in an order that depends on seed and epoch."""
        is_training = split == "train"
        order = self.order(epoch) if is_training else by_length(self.splits[split], self.training.batch_size)
        parts = split_batches(order, self.training.batch_size, shard, even=is_training)
        return Batches(parts, lambda part: self._batch(split, epoch, part))

    def order(self, epoch: int) -> np.ndarray:
        """Order of the training questions in an epoch, int64 (n,); while few are admitted, they are repeated."""
        data, size = self.splits["train"], self.training.batch_size
        random = generator(self.training.seed, "order", epoch, 0)
        admitted = np.flatnonzero(data.program_lengths <= self._longest(epoch))
        rows = by_length(data, size, np.resize(random.permutation(admitted), len(data)))
        num_whole = len(rows) // size
        whole = rows[: num_whole * size].reshape(num_whole, size)
        return np.concatenate([whole[random.permutation(num_whole)].ravel(), rows[num_whole * size :]])

    def loss(self, model: nn.Module, batch: QuestionBatch) -> tuple[Float[Tensor, ""], dict[str, Tensor]]:
        """Mean negative log-probability of a token of the true program; `token_accuracy`: share of tokens predicted."""
        # Mean over the tokens of a program first, then over programs: every question has the same weight, however long.
        scores = model(batch.words, batch.lengths, batch.previous, batch.slots, batch.num_open)
        is_token = batch.targets != IGNORE
        chosen = scores.gather(-1, batch.targets.clamp(min=0)[..., None])[..., 0]
        lengths = is_token.sum(1)
        loss = -(chosen.masked_fill(~is_token, 0).sum(1) / lengths).mean()
        right = ((scores.argmax(-1) == batch.targets) & is_token).sum(1) / lengths
        return loss, {"token_accuracy": right.mean()}

    def validate(self, model: nn.Module, epoch: int) -> dict[str, float]:
        """Share of validation questions whose whole program is decoded exactly, without teacher forcing."""
        return {"val/program_exact": self.program_exact(model, "val")}

    def program_exact(self, model: nn.Module, split: str) -> float:
        """Share of the questions of a split whose greedily decoded program is the true one."""
        assert isinstance(model, Parser)
        device, right = model.words.weight.device, 0
        was_training = model.training
        model.eval()
        data = self.splits[split]
        for rows in split_order(by_length(data, PARSE_BATCH), PARSE_BATCH, even=False):
            batch = data.batch(rows)
            tokens, _ = model.decode(batch.words.to(device), batch.lengths)
            true = [row[row != IGNORE].tolist() for row in batch.targets]
            right += sum(decoded == wanted for decoded, wanted in zip(tokens, true, strict=True))
        model.train(was_training)
        return right / len(data)

    def settings(self) -> dict[str, Any]:
        """The parser's configuration, its vocabulary, and what it knows of the forms of questions."""
        config, words = self.config.model_dump(mode="json"), list(self.vocabulary.words)
        return {"parser": config, "words": words, "sequences": sorted(self.fluency.known)}

    def curriculum(self, epoch: int) -> dict[str, float]:
        """Largest program length of this epoch, in functions."""
        if not self.training.curriculum:
            return {}
        return {"curriculum/max_program_length": float(self._longest(epoch))}

    def _longest(self, epoch: int) -> int:
        lengths = self.splits["train"].program_lengths
        if not self.training.curriculum:
            return int(lengths.max())
        ramp = max(self.config.curriculum_fraction * self.training.epochs, 1)
        share = min((epoch + 1) / ramp, 1.0)
        return int(np.quantile(lengths, share))

    def _batch(self, split: str, epoch: int, part: Part) -> QuestionBatch:
        data = self.splits[split]
        batch = data.batch(part.rows)
        if split != "train" or not self.config.word_dropout:
            return batch
        drawn = generator(self.training.seed, "words", epoch, int(part.whole[0])).random(
            (len(part.whole), data.lengths[part.whole].max())
        )
        random = part.of(drawn)[:, : batch.words.shape[1]]
        is_dropped = torch.from_numpy(random < self.config.word_dropout) & (batch.words > UNKNOWN)
        return replace(batch, words=batch.words.masked_fill(is_dropped, UNKNOWN))


def with_paraphrases(questions: list[dict[str, Any]], ratio: float, seed: int) -> list[dict[str, Any]]:
    """The questions, and `ratio` times as many paraphrases."""
    return questions + [p.record() for p in paraphrases(round(ratio * len(questions)), seed)]


def _padded(rows: list[list[int]], fill: int) -> np.ndarray:
    padded = np.full((len(rows), max(map(len, rows))), fill, dtype=np.int16)
    for row, values in zip(padded, rows, strict=True):
        row[: len(values)] = values
    return padded


def by_length(data: EncodedQuestions, batch_size: int, rows: np.ndarray | None = None) -> np.ndarray:
    """`rows`, int (n,) (default: all), sorted by length within windows of `WINDOW` batches, for little padding."""
    rows = np.arange(len(data)) if rows is None else rows
    window = np.arange(len(rows)) // (batch_size * WINDOW)
    return rows[np.lexsort((data.lengths[rows], data.program_lengths[rows], window))]
