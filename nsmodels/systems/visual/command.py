"""`nsmodels visual answer` and `export`: questions about images in one process, and a model that starts in a second."""

from __future__ import annotations

import argparse
import itertools
import json
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nsmodels.core import artifact
from nsmodels.core.artifact import require_files
from nsmodels.core.disk import write_atomic
from nsmodels.core.errors import InputError
from nsmodels.engine.verbs import add_baselines
from nsmodels.layers.answers.config import BASELINE_PRESETS
from nsmodels.systems.visual import SYSTEM

if TYPE_CHECKING:
    from nsmodels.systems.visual.answering.answer import Sight, VisualAnswer
    from nsmodels.systems.visual.answering.reasoner import Reasoner

COMPARE = "nsmodels.systems.visual.evaluation.competition:compare"
STANDARD = "-"  # standard input, or standard output
ABOUT = """Answers questions about images of CLEVR's kind, with a proof of each answer. Its confidence is the product of
the probabilities that the question is read right, that it is well posed (each description by which it refers to one
object meets one), and that the answer is right; it is 0 for an image that is unlike those of the training. An answer
that is more likely wrong than right is not given; the reason is. Exit status: 0 when every answer is given, 1 when one
is not, 2 for bad input."""
EXPORT = """Seals perception as an ONNX graph (perception.onnx, which other runtimes read too) with the parser's weights
and the calibration. `answer --checkpoint` takes the folder in place of the one it was made from: the answers are the
same, and come in a second because torch is not loaded. Checkpoints of the presets hold such a folder already,
`exported`, which `answer` finds by itself. Needs the extra `export`."""


def add_verbs(verbs: Any) -> None:
    """The verbs `answer`, `export` and `baselines`."""
    add_baselines(verbs, SYSTEM, COMPARE, BASELINE_PRESETS)
    _add_answer(verbs)
    export = verbs.add_parser("export", help="make a model for answer that starts without torch", description=EXPORT)
    export.add_argument("--checkpoint", type=Path, required=True, help="folder made by train")
    export.add_argument("--out", type=Path, required=True, help="folder of the exported model")
    export.add_argument("--force", action="store_true", help="build it again though nothing changed")
    export.set_defaults(verb=_export)


def _add_answer(verbs: Any) -> None:
    answer = verbs.add_parser("answer", help="answer questions about images, with proofs", description=ABOUT)
    answer.add_argument("--checkpoint", type=Path, required=True, help="folder made by train or export")
    answer.add_argument(
        "--image", type=Path, required=True, action="append", help="image file in CLEVR's style; may be repeated"
    )
    answer.add_argument("question", nargs="*", help="questions in English, each about every image")
    answer.add_argument("--question", dest="more", metavar="QUESTION", action="append", default=[], help="one more")
    answer.add_argument("--questions", metavar="FILE", help="further questions, one per line; -: from standard input")
    answer.add_argument("--json", metavar="FILE", help="write an object per answer, one per line; -: instead of text")
    proof = answer.add_argument_group("for one question about one image")
    proof.add_argument("--draw", type=Path, metavar="FILE", help="draw the proof over the image (.png .svg .pdf)")
    proof.add_argument("--tree", type=Path, metavar="FILE", help="draw the proof as a tree (.png .svg .pdf)")
    proof.add_argument("--without", metavar="FACT", help='what changes without a fact, as "color(o3)=red"')
    answer.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N [auto]")
    answer.set_defaults(verb=_answer)


def _answer(arguments: argparse.Namespace) -> int:
    """Print the answers; 1 when one of them is refused."""
    _check(arguments)
    questions = _questions(arguments)
    reasoner = _load(arguments.checkpoint, arguments.device)
    sights = [reasoner.see(path) for path in arguments.image]
    answers = (_asked(reasoner, sight, question, arguments) for question in questions for sight in sights)
    records, status, given = [], 0, None
    for given in answers:
        status = max(status, 0 if given and given.is_given else 1)
        if given:
            records.append(json.dumps(given.record()))
            _print(given, arguments, is_first=len(records) == 1)
    if arguments.json not in (None, STANDARD):
        write_atomic(Path(arguments.json), "".join(f"{record}\n" for record in records))
    if given and not _has_several(arguments):
        _explain(given, arguments)
    return status


def _load(checkpoint: Path, device: str) -> Reasoner:
    """The model, in the form that starts without torch where there is one and no device is asked for."""
    from nsmodels.systems.visual.answering.exported import ExportedReasoner, exported_in

    folder = exported_in(checkpoint) if device in ("auto", "cpu") else None
    return ExportedReasoner.load(folder) if folder else SYSTEM.load(checkpoint, device)


def _asked(reasoner: Reasoner, sight: Sight, question: str, arguments: argparse.Namespace) -> VisualAnswer | None:
    """The answer; None for one of several questions that cannot be read, with the reason on standard error."""
    try:
        return reasoner.answer(sight, question)
    except InputError as error:
        if not _has_several(arguments):
            raise
        print(f"error: {question!r}: {error}", file=sys.stderr, flush=True)
        return None


def _check(arguments: argparse.Namespace) -> None:
    """Raise `InputError` for what can be refused before anything is loaded."""
    from nsmodels.systems.visual.reasoning import facts
    from nsmodels.systems.visual.reasoning.drawing import check_suffix

    drawn = {"--draw": arguments.draw, "--tree": arguments.tree}
    written = None if arguments.json in (None, STANDARD) else Path(arguments.json)
    for path in filter(None, drawn.values()):
        check_suffix(path)
    require_files(drawn, [*arguments.image, written], makes_folders=True)
    require_files({"--json": written}, arguments.image)
    if not (arguments.question or arguments.more or arguments.questions):
        raise InputError("answer: no question; give one, or a file of them with --questions")
    if arguments.without:
        facts.parse(arguments.without)
    if arguments.without and arguments.json == STANDARD:
        raise InputError("answer: --without prints text; give a file for --json")
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


def _print(given: VisualAnswer, arguments: argparse.Namespace, is_first: bool) -> None:
    if arguments.json == STANDARD:
        return print(json.dumps(given.record()), flush=True)
    heading = f"{given.sight.image}: {given.question}\n" if _has_several(arguments) else ""
    return print(f"{'' if is_first else chr(10)}{heading}{given.text()}", flush=True)


def _explain(given: VisualAnswer, arguments: argparse.Namespace) -> None:
    """Drawings of the proof, and the proof without a fact; there is none of an answer that is not given."""
    if given.refusal and (arguments.draw or arguments.tree or arguments.without):
        print("no answer, no proof: nothing is drawn or removed", file=sys.stderr)
        return
    from nsmodels.formats.images.cache import read_pixels
    from nsmodels.systems.visual.reasoning.counterfactual import remove_fact
    from nsmodels.systems.visual.reasoning.drawing import draw_proof, draw_tree

    if arguments.without:
        print(remove_fact(given.needed_proof, given.belief, arguments.without).text())
    if arguments.draw:
        pixels = read_pixels(given.sight.image)
        draw_proof(pixels, given.needed_proof, given.belief, arguments.draw, given.question)
    if arguments.tree:
        draw_tree(given.needed_proof, arguments.tree)


def _export(arguments: argparse.Namespace) -> int:
    artifact.require_intact(arguments.checkpoint)
    recipe: Any = {"config": {}, "code_version": SYSTEM.code_version, "inputs": {"model": arguments.checkpoint}}
    manifest = artifact.made(
        arguments.out,
        arguments.force,
        lambda part: _fill_export(arguments.checkpoint, part.path),
        key=arguments.out.name,
        maker=SYSTEM.package,
        kind="export",
        is_resumable=False,
        **recipe,
    )
    print(f"{arguments.out}: {manifest.source}, {manifest.num_bytes / 1e6:,.1f} MB")
    return 0


def _fill_export(checkpoint: Path, folder: Path) -> None:
    """Copy the exported form out of a checkpoint, or make it."""
    from nsmodels.systems.visual.answering.exported import EXPORTED, is_exported

    if is_exported(checkpoint / EXPORTED):
        shutil.copytree(checkpoint / EXPORTED, folder, dirs_exist_ok=True)
        return
    from nsmodels.systems.visual.model import VisualReasoner

    VisualReasoner.load(checkpoint, "cpu").export(folder)
