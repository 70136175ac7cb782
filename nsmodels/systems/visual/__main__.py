"""Command line of the visual reasoner: `nsmodels visual train | evaluate | answer`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nsmodels.core.cli import Parser, run
from nsmodels.engine import verbs
from nsmodels.systems.visual import SYSTEM


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and run the verb."""
    arguments = parser().parse_args(argv)
    return arguments.verb(arguments)


def parser() -> Parser:
    """The parser of this command line."""
    return verbs.parser(SYSTEM, _add_answer)


def _add_answer(added: Any) -> None:
    answer = added.add_parser("answer", help="answer a question about an image, with the proof")
    answer.add_argument("--checkpoint", type=Path, required=True, help="folder made by train")
    answer.add_argument("--image", type=Path, required=True, help="image file in CLEVR's style")
    answer.add_argument("question", help="the question in English")
    answer.add_argument("--draw", type=Path, metavar="FILE", help="draw the proof over the image (.png .svg .pdf)")
    answer.add_argument("--tree", type=Path, metavar="FILE", help="draw the proof as a tree (.png .svg .pdf)")
    answer.add_argument("--json", type=Path, metavar="FILE", help="write the proof as JSON")
    answer.add_argument("--without", metavar="FACT", help='what changes without a fact, as "color(o3)=red"')
    answer.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N [auto]")
    answer.set_defaults(verb=_answer)


def _answer(arguments: argparse.Namespace) -> int:
    from nsmodels.core.artifact import require_files
    from nsmodels.core.disk import write_atomic
    from nsmodels.systems.visual.model import VisualReasoner
    from nsmodels.systems.visual.perception.images import read_pixels
    from nsmodels.systems.visual.reasoning.counterfactual import remove_fact
    from nsmodels.systems.visual.reasoning.drawing import check_suffix, draw_proof, draw_tree

    drawn = {"--draw": arguments.draw, "--tree": arguments.tree}
    for path in filter(None, drawn.values()):
        check_suffix(path)
    require_files(drawn, [arguments.image, arguments.json], makes_folders=True)
    require_files({"--json": arguments.json}, [arguments.image])
    answer = VisualReasoner.load(arguments.checkpoint, arguments.device).answer(arguments.image, arguments.question)
    print(answer.text())
    print(f"program read from the question with probability {answer.parse_probability:.3f}")
    if arguments.without:
        print(remove_fact(answer.needed_proof, answer.belief, arguments.without).text())
    if arguments.draw:
        draw_proof(read_pixels(arguments.image), answer.needed_proof, answer.belief, arguments.draw, arguments.question)
    if arguments.tree:
        draw_tree(answer.needed_proof, arguments.tree)
    if arguments.json:
        write_atomic(arguments.json, answer.needed_proof.to_json() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
