"""The verb `answer` of systems that answer questions about images: its flags, what it prints and writes. Torch-free.

A system gives an `Answering`. Flags and the form of an answer are the same for all of them, so that a command line of
one is that of any other whose checkpoint it is given.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from nsmodels.core.artifact import require_files
from nsmodels.core.disk import write_atomic
from nsmodels.core.errors import InputError
from nsmodels.formats.images.drawing import check_suffix

STANDARD = "-"  # standard input, or standard output
VERB = "answer"
CHECKPOINT = ("--checkpoint", "--model")
# What the JSON of an answer has, whatever system it is of; a system may add to it. None: it does not know.
KEYS = (
    *("image", "question", "answer", "is_proved", "refusal", "confidence", "parts"),
    *("confidence_reading", "posed", "confidence_answer", "is_familiar", "distance", "usual_distance"),
    *("best", "distribution", "reading", "corrections", "doubts", "presupposition", "objects"),
    *("program", "proof", "no_proof_reason", "counterfactual"),
)


class GivenAnswer(Protocol):
    """An answer to a question about an image, or its refusal."""

    question: str

    @property
    def image(self) -> Path | None:
        """The file."""
        ...

    @property
    def is_given(self) -> bool:
        """Whether the answer is given, without reserve."""
        ...

    @property
    def refusal(self) -> str:
        """Why it is not; empty where it is."""
        ...

    @property
    def proof(self) -> object | None:
        """The derivation of the answer."""
        ...

    def text(self) -> str:
        """For a terminal: `answer: yes   confidence 0.980`, or `no answer:` with the reason, and what it rests on."""
        ...

    def record(self) -> dict[str, Any]:
        """The same as JSON, with `KEYS`."""
        ...


class Change(Protocol):
    """What an answer becomes without a fact."""

    @property
    def is_changed(self) -> bool:
        """Whether the answer differs, or is not given any more."""
        ...

    def text(self) -> str:
        """For a terminal."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON."""
        ...


class Session(Protocol):
    """A checkpoint, with the images that it has seen."""

    def see(self, image: Path) -> None:
        """See an image, before questions about it; raise `InputError` when it cannot be read."""
        ...

    def answer(self, image: Path, question: str) -> Any:
        """The `GivenAnswer` to a question; raise `InputError` for one that cannot be read."""
        ...

    def remove(self, given: Any, fact: str) -> Change:
        """What an answer becomes without a fact; raise `InputError` for a fact that is none, or not believed."""
        ...

    def draw(self, given: Any, path: Path) -> None:
        """Draw the proof of an answer over the image."""
        ...

    def draw_tree(self, given: Any, path: Path) -> None:
        """Draw the proof of an answer as a tree."""
        ...


@dataclass(frozen=True)
class Answering:
    """How a system answers.

    Attributes:
        about: description of the verb.
        images: what kind of image is expected.
        fact: an example of a fact.
        start: the session of a command line, with its `checkpoint`, `device` and `image` files.
        check_fact: raises `InputError` for a text that is no fact, where that is known before anything is loaded.
    """

    about: str
    images: str
    fact: str
    start: Callable[[argparse.Namespace], Session]
    check_fact: Callable[[str], object] = str


def add_answer(verbs: Any, answering: Answering) -> None:
    """The verb `answer`."""
    answer = verbs.add_parser(VERB, help="answer questions about images, with proofs", description=answering.about)
    text = "folder made by train, or by export; one of a different system that answers is answered by that system"
    answer.add_argument(*CHECKPOINT, dest="checkpoint", type=Path, required=True, help=text)
    answer.add_argument(
        "--image", type=Path, required=True, action="append", help=f"{answering.images}; may be repeated"
    )
    answer.add_argument("question", nargs="*", help="questions in English, each about every image")
    answer.add_argument("--question", dest="more", metavar="QUESTION", action="append", default=[], help="one more")
    answer.add_argument("--questions", metavar="FILE", help="further questions, one per line; -: from standard input")
    answer.add_argument("--json", metavar="FILE", help="write an object per answer, one per line; -: instead of text")
    proof = answer.add_argument_group("for one question about one image")
    proof.add_argument("--draw", type=Path, metavar="FILE", help="draw the proof over the image (.png .svg .pdf)")
    proof.add_argument("--tree", type=Path, metavar="FILE", help="draw the proof as a tree (.png .svg .pdf)")
    proof.add_argument("--without", metavar="FACT", help=f'what changes without a fact, as "{answering.fact}"')
    answer.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N [auto]")
    answer.set_defaults(verb=lambda arguments: _answer(answering, arguments))


def checkpoint_of(words: list[str]) -> Path | None:
    """The checkpoint that the words of a command line name, the verb first; None: this verb is not `answer`."""
    if words[:1] != [VERB]:
        return None
    for number, word in enumerate(words):
        flag, equals, value = word.partition("=")
        if flag in CHECKPOINT and (equals or number + 1 < len(words)):
            return Path(value if equals else words[number + 1])
    return None


def _answer(answering: Answering, arguments: argparse.Namespace) -> int:
    """Print the answers; 1 when one of them is not given."""
    _check(answering, arguments)
    questions = _questions(arguments)
    session = answering.start(arguments)
    records, status = [], 0
    for given in _answers(session, questions, arguments):
        status = max(status, 0 if given and given.is_given else 1)
        if given:
            change = _changed(session, given, arguments)
            records.append(json.dumps(given.record() | {"counterfactual": change and change.to_dict()}))
            _print(given, change, records, arguments)
            _draw(session, given, arguments)
    if arguments.json not in (None, STANDARD):
        write_atomic(Path(arguments.json), "".join(f"{record}\n" for record in records))
    return status


def _answers(session: Session, questions: Iterable[str], arguments: argparse.Namespace) -> Iterator[GivenAnswer | None]:
    """The answers in order; None for one of several questions that cannot be read, with the reason on stderr."""
    for question in questions:
        for image in arguments.image:
            try:
                yield session.answer(image, question)
            except InputError as error:
                if not _has_several(arguments):
                    raise
                print(f"error: {question!r}: {error}", file=sys.stderr, flush=True)
                yield None


def _changed(session: Session, given: GivenAnswer, arguments: argparse.Namespace) -> Change | None:
    """The answer without a fact, where that is asked for and there is a proof to take it from."""
    if _is_explained(arguments) and given.refusal and given.proof is None:
        print("no answer, no proof: nothing is drawn or removed", file=sys.stderr)
        return None
    return session.remove(given, arguments.without) if arguments.without else None


def _draw(session: Session, given: GivenAnswer, arguments: argparse.Namespace) -> None:
    if given.refusal and given.proof is None:
        return
    if arguments.draw:
        session.draw(given, arguments.draw)
    if arguments.tree:
        session.draw_tree(given, arguments.tree)


def _is_explained(arguments: argparse.Namespace) -> bool:
    return bool(arguments.draw or arguments.tree or arguments.without)


def _print(given: GivenAnswer, change: Change | None, records: list[str], arguments: argparse.Namespace) -> None:
    if arguments.json == STANDARD:
        return print(records[-1], flush=True)
    heading = f"{given.image}: {given.question}\n" if _has_several(arguments) else ""
    changed = f"\n{change.text()}" if change else ""
    return print(f"{'' if len(records) == 1 else chr(10)}{heading}{given.text()}{changed}", flush=True)


def _check(answering: Answering, arguments: argparse.Namespace) -> None:
    """Raise `InputError` for what can be refused before anything is loaded."""
    drawn = {"--draw": arguments.draw, "--tree": arguments.tree}
    written = None if arguments.json in (None, STANDARD) else Path(arguments.json)
    for path in filter(None, drawn.values()):
        check_suffix(path)
    require_files(drawn, [*arguments.image, written], makes_folders=True)
    require_files({"--json": written}, arguments.image)
    for image in (image for image in arguments.image if not image.exists()):
        raise InputError(f"--image {image}: no such image")
    if not (arguments.question or arguments.more or arguments.questions):
        raise InputError("answer: no question; give one, or a file of them with --questions")
    if arguments.without:
        answering.check_fact(arguments.without)
    single = {**drawn, "--without": arguments.without}
    for flag in (flag for flag, value in single.items() if value and _has_several(arguments)):
        raise InputError(f"answer: {flag} goes with one question about one image")


def _has_several(arguments: argparse.Namespace) -> bool:
    given = len(arguments.question) + len(arguments.more)
    return bool(arguments.questions) or given > 1 or len(arguments.image) > 1


def _questions(arguments: argparse.Namespace) -> Iterable[str]:
    """Those of the command line, then the lines of the file; standard input is read as it comes."""
    given = [*arguments.question, *arguments.more]
    if arguments.questions == STANDARD:
        return itertools.chain(given, filter(None, map(str.strip, sys.stdin)))
    return [*given, *(_lines(Path(arguments.questions)) if arguments.questions else [])]


def _lines(path: Path) -> list[str]:
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text in UTF-8"
        raise InputError(f"{path}: cannot be read ({reason}); expected a question per line") from None
