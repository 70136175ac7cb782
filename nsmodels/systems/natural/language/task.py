"""Training of the parser: questions with programs, their batches, and the loss of decoding their programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple, final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from nsmodels.core.errors import InputError
from nsmodels.datasets.gqa.programs.parsing import ANY, Program, without_leaks
from nsmodels.engine.batching import Batches, Part, generator, split_batches
from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.task import Shard, Task, recurrent_threads
from nsmodels.formats.scenes.vocabulary import SceneVocabulary
from nsmodels.systems.natural.config import ParserConfig
from nsmodels.systems.natural.language.asking import Question
from nsmodels.systems.natural.language.encoding import Example, ParserBatch, Reader, collate, example
from nsmodels.systems.natural.language.fluency import Fluency
from nsmodels.systems.natural.language.mentions import RELATION, Entry, Mention, Phrases
from nsmodels.systems.natural.language.network import ParserNetwork
from nsmodels.systems.natural.language.parser import Parser
from nsmodels.systems.natural.language.programs.grammar import Grammar, normal, tree_of
from nsmodels.systems.natural.language.programs.trees import leaves_of
from nsmodels.systems.natural.language.synonyms import learn_synonyms
from nsmodels.systems.natural.language.tokens import Vocabulary, words_of

WINDOW = 50  # batches within which questions are sorted by length


class Asked(NamedTuple):
    """A question with its program in normal form, without leaks, and what its words may name."""

    words: list[str]
    mentions: list[Mention]
    program: Program


def asked(question: Question, grammar: Grammar) -> Asked:
    """A question as the parser learns it; raise `InputError` for a malformed program, or one with many options."""
    words = words_of(question.text)
    if not words:
        raise InputError(f"{question.where or question.id}, field 'question': expected at least one word")
    return Asked(words, grammar.phrases.mentions(words), program_of(question, grammar.words))


def program_of(question: Question, words: SceneVocabulary) -> Program:
    """The program of a question in normal form, without leaks; raise `InputError` for a malformed one."""
    return normal(without_leaks(question.program), words)


def unexplained(each: Asked, words: SceneVocabulary) -> set[Entry]:
    """The entries of the program of a question that it does not mention."""
    mentioned = {mention.entry for mention in each.mentions}
    return {leaf for leaf in leaves_of(tree_of(each.program, words)) if isinstance(leaf, Entry)} - mentioned


def is_word(entry: Entry) -> bool:
    """Whether a phrase can stand for an entry by itself: it is no relation, and names something."""
    return entry.group != RELATION and entry.word != ANY


def learned_grammar(questions: Sequence[Asked], words: SceneVocabulary) -> Grammar:
    """The grammar of training questions: synonyms for what they name otherwise, constants for what they do not name."""
    lacking = [sorted(entry for entry in unexplained(each, words) if is_word(entry)) for each in questions]
    triples = zip((q.words for q in questions), (q.mentions for q in questions), lacking, strict=True)
    synonyms = learn_synonyms(triples)
    phrases = Phrases.of(words, synonyms)
    constants: set[Entry] = set()
    for each in questions:
        constants |= unexplained(each._replace(mentions=phrases.mentions(each.words)), words)
    return Grammar(words, tuple(sorted(constants)), synonyms)


@final
class ParserTask(Task):
    """Training of the parser on questions with programs.

    Args:
        train, val: questions with their programs.
        words: vocabulary of the scenes.
        config: the parser.
        training: its batch size and seed are used.
    """

    def __init__(
        self,
        train: Iterable[Question],
        val: Iterable[Question],
        words: SceneVocabulary,
        config: ParserConfig,
        training: TrainingConfig,
    ) -> None:
        self.config, self.training = config, training
        self.num_threads = recurrent_threads(config.hidden_dim, training)
        plain = Grammar(words)
        read = [asked(each, plain) for each in train]
        self.grammar = learned_grammar(read, words)
        read = [each._replace(mentions=self.grammar.phrases.mentions(each.words)) for each in read]
        self.fluency = Fluency.from_questions((each.words, each.mentions) for each in read)
        self.val_questions = [asked(each, self.grammar) for each in val]
        self.vocabulary = Vocabulary.from_questions(each.words for each in read)
        self.reader = Reader(self.grammar, self.vocabulary)
        self.splits = {"train": self._examples(read), "val": self._examples(self.val_questions)}
        for split, examples in self.splits.items():
            if not examples:
                raise InputError(f"questions: none of split '{split}' has a program of known words; check `semantic`")

    def build(self) -> ParserNetwork:
        """A parser with random weights and the vocabulary of the training questions."""
        return ParserNetwork(self.config, self.grammar, self.vocabulary.words, self.fluency.known)

    def batches(self, split: str, epoch: int, shard: Shard) -> Batches:
        """Batches of questions of similar length; training batches in an order that depends on seed and epoch."""
        is_training = split == "train"
        parts = split_batches(self.order(split, epoch), self.training.batch_size, shard, even=is_training)
        return Batches(parts, lambda part: self._batch(split, epoch, part))

    def order(self, split: str, epoch: int) -> np.ndarray:
        """Order of the questions of a split in an epoch, int64 (n,)."""
        lengths = np.array([len(each.targets) * 64 + len(each.words) for each in self.splits[split]])
        size = self.training.batch_size
        if split != "train":
            return np.argsort(lengths, kind="stable")
        random = generator(self.training.seed, "order", epoch, 0)
        rows = random.permutation(len(lengths))
        rows = rows[np.lexsort((lengths[rows], np.arange(len(rows)) // (size * WINDOW)))]
        num_whole = len(rows) // size
        whole = rows[: num_whole * size].reshape(num_whole, size)
        return np.concatenate([whole[random.permutation(num_whole)].ravel(), rows[num_whole * size :]])

    def loss(self, model: nn.Module, batch: ParserBatch) -> tuple[Float[Tensor, ""], dict[str, Tensor]]:
        """Mean negative log-probability of the right symbols; `token_accuracy`: share of symbols predicted."""
        # Mean over the symbols of a program first, then over programs: every question has the same weight.
        scores = model(batch.questions, batch.previous, batch.slots, batch.num_open)
        is_symbol = batch.right.any(-1)
        held = scores.masked_fill(~batch.right, -torch.inf)
        chosen = held.logsumexp(-1).masked_fill(~is_symbol, 0)
        lengths = batch.num_symbols.to(scores.device)
        hit = batch.right.gather(-1, scores.argmax(-1, keepdim=True))[..., 0] & is_symbol
        return -(chosen.sum(1) / lengths).mean(), {"token_accuracy": (hit.sum(1) / lengths).mean()}

    def validate(self, model: nn.Module, epoch: int) -> dict[str, float]:
        """Share of validation questions whose whole program is decoded exactly, without teacher forcing."""
        assert isinstance(model, ParserNetwork)
        was_training = model.training
        found = Parser(model).read([each.words for each in self.val_questions])
        model.train(was_training)
        pairs = zip(found, self.val_questions, strict=True)
        return {"val/program_exact": float(np.mean([parse.released == each.program for parse, each in pairs]))}

    def settings(self) -> dict[str, Any]:
        """The configuration, the words of questions and scenes, and the constants of the grammar."""
        return {
            "parser": self.config.model_dump(mode="json"),
            "words": list(self.vocabulary.words),
            "sequences": sorted(self.fluency.known),
            "scene_words": asdict(self.grammar.words),
            "constants": [list(entry) for entry in self.grammar.constants],
            "synonyms": [[phrase, *entry] for phrase, entry in self.grammar.synonyms],
        }

    def _examples(self, questions: Sequence[Asked]) -> list[Example]:
        """Those with programs of words that are mentioned or constants; validation may have others, which it fails."""
        found = []
        for each in questions:
            try:
                found.append(example(each.words, each.mentions, each.program, self.reader))
            except InputError:
                continue
        return found

    def _batch(self, split: str, epoch: int, part: Part) -> ParserBatch:
        examples, hidden = self.splits[split], None
        if split == "train" and self.config.hidden_names:
            longest = max(len(examples[k].words) for k in part.whole.tolist())
            drawn = generator(self.training.seed, "words", epoch, int(part.whole[0])).random((len(part.whole), longest))
            hidden = part.of(drawn) < self.config.hidden_names
        return collate([examples[k] for k in part.rows.tolist()], self.reader, hidden)
