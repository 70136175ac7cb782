"""`nsmodels visual answer` and `export`: questions about images in one process, and a model that starts in a second."""

from __future__ import annotations

import argparse
import shutil
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nsmodels.core import artifact
from nsmodels.core.cli import print_data
from nsmodels.formats.images.commands import Answering, add_answer
from nsmodels.systems.visual import SYSTEM

if TYPE_CHECKING:
    from nsmodels.systems.visual.answering.session import Session

ABOUT = """Answers questions about images of CLEVR's kind, with a proof of each answer. Its confidence is the product of
the probabilities that the question is read right, that it is well posed (each description by which it refers to one
object meets one), and that the answer is right; it is 0 for an image that is unlike those of the training. An answer
that is more likely wrong than right is not given; the reason is. A checkpoint of natural images (`nsmodels natural
train`) answers questions about photographs, with the same flags and in the same form. Exit status: 0 when every answer
is given, 1 when one is not, 2 for bad input."""
EXPORT = """Seals perception as an ONNX graph (perception.onnx, which other runtimes read too) with the parser's weights
and the calibration. `answer --checkpoint` takes the folder in place of the one it was made from: the answers are the
same, and come in a second because torch is not loaded. Checkpoints of the presets hold such a folder already,
`exported`, which `answer` finds by itself. Needs the extra `export`."""


def add_verbs(verbs: Any) -> None:
    """The verbs `answer` and `export`."""
    images = "image file, in CLEVR's style for a checkpoint of visual"
    add_answer(verbs, Answering(ABOUT, images, "color(o3)=red", _open, _check_fact))
    export = verbs.add_parser("export", help="make a model for answer that starts without torch", description=EXPORT)
    export.add_argument("--checkpoint", type=Path, required=True, help="folder made by train")
    export.add_argument("--out", type=Path, required=True, help="folder of the exported model")
    export.add_argument("--force", action="store_true", help="build it again though nothing changed")
    export.set_defaults(verb=_export)


def _open(arguments: argparse.Namespace) -> Session:
    from nsmodels.systems.visual.answering.exported import ExportedReasoner, exported_in
    from nsmodels.systems.visual.answering.session import Session

    # the form that starts without torch where there is one and no device is asked for
    folder = exported_in(arguments.checkpoint) if arguments.device in ("auto", "cpu") else None
    loaded = ExportedReasoner.load(folder) if folder else SYSTEM.load(arguments.checkpoint, arguments.device)
    return Session(loaded, arguments.image)


def _check_fact(text: str) -> None:
    from nsmodels.systems.visual.reasoning import facts

    facts.parse(text)


def _export(arguments: argparse.Namespace) -> int:
    artifact.require_intact(arguments.checkpoint)
    recipe: Any = {"config": {}, "code_version": SYSTEM.code_version, "inputs": {"model": arguments.checkpoint}}
    make = partial(
        artifact.made,
        arguments.out,
        arguments.force,
        lambda part: _fill_export(arguments.checkpoint, part.path),
        key=arguments.out.name,
        maker=SYSTEM.package,
        kind="export",
        is_resumable=False,
        **recipe,
    )
    print_data(arguments.out, make)
    return 0


def _fill_export(checkpoint: Path, folder: Path) -> None:
    """Copy the exported form out of a checkpoint, or make it."""
    from nsmodels.systems.visual.answering.exported import EXPORTED, is_exported

    if is_exported(checkpoint / EXPORTED):
        shutil.copytree(checkpoint / EXPORTED, folder, dirs_exist_ok=True)
        return
    from nsmodels.systems.visual.model import VisualReasoner

    VisualReasoner.load(checkpoint, "cpu").export(folder)
