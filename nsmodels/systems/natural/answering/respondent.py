"""Symbolic first: the proved answer where the question is read surely and its execution decides, else the answer that
the question chooses among frequent ones, with its evidence, and "not proved".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import torch

from nsmodels.core import artifact
from nsmodels.core.errors import InputError
from nsmodels.engine import checkpoint
from nsmodels.engine.runtime import resolve_device
from nsmodels.formats.images.cache import read_images
from nsmodels.formats.images.commands import KEYS
from nsmodels.formats.scenes.perceived import PerceivedScene
from nsmodels.layers.answers.batches import Pictures, padded
from nsmodels.systems.natural.answering.answer import NOT_PROVED, NaturalAnswer
from nsmodels.systems.natural.answering.choosing.features import glimpse
from nsmodels.systems.natural.answering.choosing.network import AnswerNetwork
from nsmodels.systems.natural.answering.choosing.questions import NUM_NOUNS, NUM_VALUES, QuestionBatch
from nsmodels.systems.natural.answering.premises import Premises
from nsmodels.systems.natural.answering.reasoner import PLAIN, Reasoner
from nsmodels.systems.natural.beliefs import Belief
from nsmodels.systems.natural.language.parser import Parse
from nsmodels.systems.natural.language.tokens import words_of
from nsmodels.systems.natural.perception.calibration import load_calibrated
from nsmodels.systems.natural.perception.decoding import beliefs_of
from nsmodels.systems.natural.perception.network import Perception
from nsmodels.systems.natural.reasoning.proofs.proof import Proof

SURE = 0.7  # joint probability of a proved answer from which on it is taken without asking further
BATCH = 32  # images
QUESTIONS = 256
NUM_EVIDENCE = 3


@dataclass(frozen=True)
class Evidence:
    """Something that an answer rests on: an object with its most likely name, or a part of the image.

    Attributes:
        name: of the object; empty: a part of the image or the whole.
        weight: share of the attention.
        box: centre, width and height in 0..1 of the image.
    """

    name: str
    weight: float
    box: tuple[float, float, float, float]

    def text(self) -> str:
        """One line: `dog 0.62 at (0.31, 0.55)`."""
        return f"{self.name or 'the image'} {self.weight:.2f} at ({self.box[0]:.2f}, {self.box[1]:.2f})"


@dataclass(frozen=True, eq=False)
class Response:
    """An answer to a question about an image.

    Attributes:
        image: its file.
        question: as asked.
        answer: in the normal form of VQA.
        confidence: of a proved answer its joint probability, else the credit that is expected of the chosen one.
        symbolic: what the program of the question gives; None: nothing reads programs.
        chosen: the answer that was chosen among frequent ones, and its confidence.
        evidence: what the choice attended to most, of objects and parts of the image.
    """

    image: Path | None
    question: str
    answer: str
    confidence: float
    symbolic: NaturalAnswer | None
    chosen: tuple[str, float]
    evidence: tuple[Evidence, ...]

    @property
    def is_proved(self) -> bool:
        """Whether the answer is the program's."""
        return is_decisive(self.symbolic)

    @property
    def is_given(self) -> bool:
        """Whether the answer is given without reserve: it is proved."""
        return self.is_proved

    @property
    def proof(self) -> Proof | None:
        """The derivation of a proved answer."""
        return self.symbolic.proof if self.is_proved and self.symbolic else None

    @property
    def symbolic_answer(self) -> NaturalAnswer:
        """What the program gives; raise `InputError` where the answer is not proved."""
        if self.symbolic is None or not self.is_proved:
            raise InputError(f"{NOT_PROVED}: {self.refusal}; this needs a proof")
        return self.symbolic

    def text(self) -> str:
        """The proof, or the answer with its evidence and why it is not proved."""
        if self.is_proved and self.symbolic is not None:
            return self.symbolic.text()
        reason = f": {self.refusal}" if self.refusal else ""
        seen = [f"  seen: {each.text()}" for each in self.evidence]
        return "\n".join([f"answer: {self.answer}   confidence {self.confidence:.3f} ({NOT_PROVED}{reason})", *seen])

    @property
    def refusal(self) -> str:
        """Why the answer is not proved; empty where it is."""
        if self.is_proved:
            return ""
        if self.symbolic is None:
            return "the checkpoint reads no programs"
        return self.symbolic.refusal or f"the proof is right with probability {self.symbolic.confidence:.2f} only"

    def record(self) -> dict[str, Any]:
        """The same as JSON; what only a program has is that of `symbolic`."""
        read = self.symbolic.record() if self.symbolic else dict.fromkeys(KEYS)
        return read | {
            "image": None if self.image is None else str(self.image),
            "question": self.question,
            "answer": self.answer,
            "is_proved": self.is_proved,
            "confidence": self.confidence,
            "refusal": self.refusal or None,
            "proof": self.proof and self.proof.to_dict(),
            "chosen": {"answer": self.chosen[0], "confidence": self.chosen[1]},
            "evidence": [{"name": e.name, "weight": e.weight, "box": list(e.box)} for e in self.evidence],
            "symbolic": self.symbolic and self.symbolic.record(),
        }


def is_decisive(given: NaturalAnswer | None) -> bool:
    """Whether a proved answer is taken: nothing of the question is unread, and it is right with probability `SURE`."""
    return given is not None and given.is_proved and not given.reading.doubts and given.confidence >= SURE


@dataclass(frozen=True, eq=False)
class Seen:
    """Images as read: a record of features and, where programs are executed, a belief of each."""

    records: np.ndarray
    beliefs: Sequence[Belief]


@final
class Respondent:
    """Perception, the network that chooses answers, and the parser where the checkpoint has one.

    Args:
        perception: calibrated.
        network: that chooses answers.
        reasoner: that reads and executes programs; None: there is none.
    """

    def __init__(self, perception: Perception, network: AnswerNetwork, reasoner: Reasoner | None) -> None:
        self.perception, self.network, self.reasoner = perception.eval(), network.eval(), reasoner

    @classmethod
    def load(
        cls, folder: Path, device: str = "auto", premises: Premises = PLAIN, has_programs: bool = True
    ) -> Respondent:
        """The model of a checkpoint folder; raise `InputError` when it is not sealed, changed or of another system.

        Without `has_programs` answers are chosen, and none is proved.
        """
        artifact.require_intact(folder)
        target, path = resolve_device(device), folder / "answers" / checkpoint.BEST
        network = AnswerNetwork.from_checkpoint(checkpoint.load(path), str(path)).to(target)
        if has_programs and (folder / "parser" / checkpoint.BEST).is_file():
            reasoner = Reasoner.read(folder, device, premises)
            return cls(reasoner.perception, network, reasoner)
        return cls(load_calibrated(folder, target), network, None)

    @property
    def num_parameters(self) -> dict[str, int]:
        """Number of parameters by network."""
        parts: dict[str, torch.nn.Module] = {"perception": self.perception, "answers": self.network}
        if self.reasoner is not None:
            parts["parser"] = self.reasoner.parser.network
        return {name: sum(p.numel() for p in part.parameters()) for name, part in parts.items()}

    def see(self, images: Sequence[Path], num_workers: int = 4) -> Seen:
        """Image files as read; raise `InputError` when one is missing or broken."""
        config, shape = self.perception.config, self.network.shape
        pixels, sizes = read_images(list(images), config.image_width, config.image_height, num_workers)
        records, beliefs = [np.zeros(0, shape.record)], []
        for first in range(0, len(pixels), BATCH):
            found, read = glimpse(self.perception, pixels[first : first + BATCH], shape)
            records.append(found)
            if self.reasoner is not None:
                size = [(int(w), int(h)) for w, h in np.asarray(sizes[first : first + BATCH]).tolist()]
                beliefs += map(self.reasoner.taken, beliefs_of(self.perception, read, size))
        return Seen(np.concatenate(records), beliefs)

    def perceived(self, images: Sequence[Path]) -> list[PerceivedScene]:
        """What is seen in image files as weighted facts; `InputError` where the checkpoint reads no programs."""
        if self.reasoner is None:
            raise InputError("this checkpoint answers without facts; give one of --dataset gqa, gqa_vqa or all")
        return self.reasoner.perceived(images)

    def respond(self, images: Sequence[Path], questions: Sequence[str]) -> list[Response]:
        """The answer to each question about each image, image by image."""
        asked = [(place, text) for place in range(len(images)) for text in questions]
        return self.answer(self.see(images), asked, images)

    def answer(
        self, seen: Seen, asked: Sequence[tuple[int, str]], images: Sequence[Path] | None = None
    ) -> list[Response]:
        """Answers to questions, each with the place of its image among `seen`."""
        parses = self.parse([text for _, text in asked])
        found: list[Response] = []
        for first in range(0, len(asked), QUESTIONS):
            part = asked[first : first + QUESTIONS]
            credit, attention = self.choose(seen.records, part)
            for k, (place, text) in enumerate(part):
                parse, image = parses[first + k], images[place] if images else None
                symbolic = None
                if parse is not None and self.reasoner is not None:
                    symbolic = self.reasoner.conclude(image, text, seen.beliefs[place], parse)
                found.append(self._response(image, text, symbolic, credit[k], attention[k], seen.records[place]))
        return found

    def parse(self, questions: Sequence[str]) -> list[Parse | None]:
        """The program of each question; None where nothing reads programs, or there are no words."""
        found: list[Parse | None] = [None] * len(questions)
        spoken = [k for k, text in enumerate(questions) if words_of(text)]
        if self.reasoner is not None and spoken:
            for k, parse in zip(spoken, self.reasoner.parse([questions[k] for k in spoken]), strict=True):
                found[k] = parse
        return found

    @torch.inference_mode()
    def choose(self, records: np.ndarray, asked: Sequence[tuple[int, str]]) -> tuple[np.ndarray, np.ndarray]:
        """Expected credit of the answers, (b, a), and attention, (b, t)."""
        from nsmodels.engine.batching import to_device

        batch = to_device(self._batch(records, asked), self.network.words.weight.device)
        chosen = self.network(batch)
        return chosen.logits.sigmoid().float().cpu().numpy(), chosen.attention.float().cpu().numpy()

    def _batch(self, records: np.ndarray, asked: Sequence[tuple[int, str]]) -> QuestionBatch:
        network = self.network
        rows = [words_of(text) or ["?"] for _, text in asked]
        needed, places = np.unique([place for place, _ in asked], return_inverse=True)
        found = [network.nouns.find(row) for row in rows]
        return QuestionBatch(
            words=torch.from_numpy(padded([network.vocabulary.numbers(row) for row in rows])),
            lengths=torch.tensor([len(row) for row in rows]),
            nouns=torch.tensor([each[0] for each in found]).view(-1, NUM_NOUNS),
            values=torch.tensor([each[1] for each in found]).view(-1, NUM_VALUES),
            targets=torch.zeros(len(rows), len(network.answers)),
            images=Pictures.records(records).of(needed),
            places=torch.from_numpy(places),
        )

    def _response(
        self,
        image: Path | None,
        question: str,
        symbolic: NaturalAnswer | None,
        credit: np.ndarray,
        attention: np.ndarray,
        record: np.ndarray,
    ) -> Response:
        best = int(credit.argmax())
        chosen = self.network.answers[best], float(credit[best])
        answer, confidence = chosen
        if symbolic is not None and is_decisive(symbolic):
            answer, confidence = symbolic.answer.best, symbolic.confidence
        return Response(image, question, answer, confidence, symbolic, chosen, self._evidence(attention, record))

    def _evidence(self, attention: np.ndarray, record: np.ndarray) -> tuple[Evidence, ...]:
        """The things that have the greatest weights, at most `NUM_EVIDENCE`."""
        found, names = [], self.perception.space.words.names
        for place in np.argsort(-attention, kind="stable")[:NUM_EVIDENCE].tolist():
            is_object = place < self.network.shape.objects
            name = names[int(record["names"][place].argmax())] if is_object and names else ""
            box = record["boxes"][place] if is_object else self._cell(place - self.network.shape.objects)
            x, y, w, h = (float(side) for side in box)
            found.append(Evidence(name, float(attention[place]), (x, y, w, h)))
        return tuple(found)

    def _cell(self, number: int) -> tuple[float, float, float, float]:
        width, height = self.network.shape.map_width, self.network.shape.map_height
        if number >= width * height:
            return 0.5, 0.5, 1.0, 1.0  # the scene as a whole
        row, column = divmod(number, width)
        return (column + 0.5) / width, (row + 0.5) / height, 1 / width, 1 / height
