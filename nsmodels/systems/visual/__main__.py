"""Command line of the visual reasoner: `nsmodels visual train | evaluate | answer`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from nsmodels.core.cli import Parser, add_config_flags, config_from, run
from nsmodels.systems.visual.config import PRESETS, VisualConfig


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and do what the verb says."""
    arguments = _parser().parse_args(argv)
    return arguments.verb(arguments)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="nsmodels visual", description=__doc__)
    verbs = parser.add_subparsers(metavar="verb", required=True)
    train = verbs.add_parser("train", help="train perception, parser and baseline on a CLEVR folder; resumes")
    train.add_argument("--data", type=Path, required=True, help="folder with images/ scenes/ questions/")
    train.add_argument("--out", type=Path, required=True, help="folder of the checkpoint")
    train.add_argument("--force", action="store_true", help="train again though nothing changed")
    add_config_flags(train, PRESETS, None)
    train.set_defaults(verb=_train)
    evaluate = verbs.add_parser("evaluate", help="score a checkpoint on a split, with baselines beside it")
    evaluate.add_argument("--checkpoint", type=Path, required=True, help="folder made by train")
    evaluate.add_argument("--data", type=Path, required=True, help="folder with images/ scenes/ questions/")
    evaluate.add_argument("--split", default="val", help="train or val [val]")
    evaluate.add_argument("--json", type=Path, metavar="FILE", help="also write the whole report")
    evaluate.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N [auto]")
    evaluate.set_defaults(verb=_evaluate)
    answer = verbs.add_parser("answer", help="answer a question about an image, with the proof")
    answer.add_argument("--checkpoint", type=Path, required=True, help="folder made by train")
    answer.add_argument("--image", type=Path, required=True, help="image file in CLEVR's style")
    answer.add_argument("question", help="the question in English")
    answer.add_argument("--draw", type=Path, metavar="FILE", help="draw the proof over the image (.png .svg .pdf)")
    answer.add_argument("--tree", type=Path, metavar="FILE", help="draw the proof as a tree (.png .svg .pdf)")
    answer.add_argument("--json", type=Path, metavar="FILE", help="write the proof as JSON")
    answer.add_argument("--without", metavar="FACT", help='what changes without a fact, as "color(o3)=red"')
    answer.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N [auto]")
    answer.set_defaults(verb=_answer)
    return parser


def _train(arguments: argparse.Namespace) -> int:
    from nsmodels.systems.visual.train import train

    default = _default_preset()
    if arguments.preset is None:
        print(f"preset {default[0]} ({default[1]})", file=sys.stderr)
    config = config_from(arguments, PRESETS, default[0])
    assert isinstance(config, VisualConfig)
    manifest = train(config, arguments.data, arguments.out, arguments.out.name, is_forced=arguments.force)
    print(f"{arguments.out}: sealed, fingerprint {manifest.fingerprint}, data {manifest.source}")
    for name, value in manifest.metrics.items():
        print(f"  {name}: {value:.4g}" if isinstance(value, float) else f"  {name}: {value}")
    return 0


def _default_preset() -> tuple[str, str]:
    import torch

    return ("base", "a GPU was found") if torch.cuda.is_available() else ("quick", "no GPU was found")


def _evaluate(arguments: argparse.Namespace) -> int:
    from nsmodels.core.artifact import write_json
    from nsmodels.systems.visual.evaluate import evaluate_checkpoint
    from nsmodels.systems.visual.evaluation.report import table

    result = evaluate_checkpoint(arguments.checkpoint, arguments.data, arguments.split, arguments.device)
    print(table(result))
    if arguments.json:
        write_json(arguments.json, result)
    return 0


def _answer(arguments: argparse.Namespace) -> int:
    from nsmodels.core.artifact import write_atomic
    from nsmodels.systems.visual.model import VisualReasoner
    from nsmodels.systems.visual.perception.images import read_pixels
    from nsmodels.systems.visual.reasoning.counterfactual import without
    from nsmodels.systems.visual.reasoning.drawing import draw_proof, draw_tree

    said = VisualReasoner.load(arguments.checkpoint, arguments.device).answer(arguments.image, arguments.question)
    print(said.text())
    print(f"program read from the question with probability {said.parse_probability:.3f}")
    if arguments.without:
        print(without(said.needed_proof, said.belief, arguments.without).text())
    if arguments.draw:
        draw_proof(read_pixels(arguments.image), said.needed_proof, said.belief, arguments.draw, arguments.question)
    if arguments.tree:
        draw_tree(said.needed_proof, arguments.tree)
    if arguments.json:
        write_atomic(arguments.json, said.needed_proof.to_json() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
