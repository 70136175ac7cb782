"""Rules over facts: `nsmodels rules check FILE`, `ask FILE 'wet(X)'`, `learn --data FOLDER --target wet`, `study`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from nsmodels.core import cli, disk
from nsmodels.core.cli import Parser
from nsmodels.core.config import add_flags, values_from_flags
from nsmodels.core.errors import InputError, near
from nsmodels.core.orders import Inputs, Order
from nsmodels.formats.scenes.facts import OBJECT, ScenePredicates
from nsmodels.formats.scenes.vocabulary import SceneVocabulary
from nsmodels.logic import program as programs
from nsmodels.logic.answers import ask
from nsmodels.logic.config import AskConfig, LearnConfig
from nsmodels.logic.program import ProgramError
from nsmodels.logic.strata import strata
from nsmodels.logic.syntax import Fact, Program
from nsmodels.scenery.rule_learning.config import PRESETS

RULES = "a rule file, or one that ships: seeds, scenery, gqa"


def main(argv: Sequence[str]) -> int:
    """Run a verb; 1 where a query has no answer. Raises `InputError` for bad input."""
    return cli.main(_parser, argv)


def _parser() -> Parser:
    parser = Parser(prog="nsmodels rules", description=__doc__)
    verbs = parser.add_subparsers(metavar="verb", required=True)
    check = verbs.add_parser("check", help="check rule files and report every fault")
    check.add_argument("files", nargs="+", type=Path, metavar="FILE", help=RULES)
    check.set_defaults(verb=_check)
    question = verbs.add_parser("ask", help="answer a query with probabilities and proofs")
    question.add_argument("file", type=Path, metavar="FILE", help=RULES)
    question.add_argument("query", help="an atom, as 'wet(X)'")
    question.add_argument("--facts", type=Path, metavar="FACTS.json", help='list of facts, [["person", ["o3"], 0.9]]')
    question.add_argument("--scene", type=Path, metavar="GRAPHS.json", help="scene graphs in the form of GQA's")
    text = "trained model of natural images: the facts are what it perceives in --image, with probabilities"
    question.add_argument("--model", type=Path, metavar="FOLDER", help=text)
    text = "id of the image whose scene graph is asked; with --model the image file"
    question.add_argument("--image", metavar="ID|FILE", help=text)
    question.add_argument("--json", action="store_true", help="one JSON object per answer and line")
    add_flags(question, AskConfig)
    question.set_defaults(verb=_ask)
    learn = verbs.add_parser("learn", help="learn rules for a label of objects from scene graphs")
    learn.add_argument("--data", type=Path, required=True, help="folder of a dataset with sceneGraphs/")
    learn.add_argument("--target", nargs="+", required=True, metavar="NAME", help="labels: predicates of one object")
    learn.add_argument("--rules", type=Path, metavar="FILE", help="rules that give the labels; else the facts do")
    learn.add_argument("--split", default="train", help="split to learn from [train]")
    learn.add_argument("--held-out", default="val", metavar="SPLIT", help="split to score on [val]")
    learn.add_argument("--most", type=int, metavar="N", help="scenes of a split, at most")
    text = "trained model of natural images: learn from what it perceives in the images, with labels of the graphs"
    learn.add_argument("--model", type=Path, metavar="FOLDER", help=text)
    learn.add_argument("--out", type=Path, metavar="FILE.rules", help="write the rules as a rule file")
    add_flags(learn, LearnConfig)
    learn.set_defaults(verb=_learn)
    study = verbs.add_parser(
        "study", help="plant rules over scene graphs and learn them again, from more and worse facts"
    )
    study.add_argument("--data", type=Path, required=True, help="folder of a dataset with sceneGraphs/")
    cli.add_making(study, "folder of the study")
    cli.add_config_flags(study, PRESETS, "quick")
    study.set_defaults(verb=_study)
    return parser


def _check(arguments: argparse.Namespace) -> int:
    status = 0
    for path in arguments.files:
        try:
            program = programs.load(path)
        except ProgramError as error:
            print("\n".join(f"error: {fault}" for fault in error.faults), file=sys.stderr)
            status = 2
            continue
        num_facts = sum(not rule.body for rule in program.rules)
        counts = f"{len(program.concepts):,} concepts, {len(program.rules) - num_facts:,} rules, {num_facts:,} facts"
        print(f"{path}: {counts}, {len(strata(program)):,} strata; no fault")
        _print_notes(program, sys.stdout)
    return status


def _print_notes(program: Program, stream: object) -> None:
    for note in program.notes:
        print(f"  note: {note}", file=stream)  # type: ignore[arg-type]


def _ask(arguments: argparse.Namespace) -> int:
    config = AskConfig().with_values(values_from_flags(arguments))
    program = programs.load(arguments.file)
    _print_notes(program, sys.stderr)
    found = ask(program, _facts(arguments, program), arguments.query, config)
    for answer in found:
        print(json.dumps(answer.to_json(program), ensure_ascii=False) if arguments.json else answer.text(program))
    if not found:
        print(f"{arguments.query}: no answer", file=sys.stderr)
    return 0 if found else 1


def _facts(arguments: argparse.Namespace, program: Program) -> dict[Fact, float]:
    """The facts that the flags name."""
    if sum(map(bool, (arguments.facts, arguments.scene, arguments.model))) > 1:
        raise InputError("rules ask: give one of --facts, --scene and --model")
    if arguments.model:
        return _perceived_facts(arguments.model, arguments.image)
    if arguments.facts:
        facts = programs.read_facts(arguments.facts)
        unknown = sorted({fact[0] for fact in facts if fact[0] not in program.arities})
        if unknown:
            print(f"not used, unknown to {program.file}: facts of {', '.join(unknown)}", file=sys.stderr)
        return facts
    if arguments.image and not arguments.scene:
        raise InputError("rules ask: --image needs --scene GRAPHS.json or --model FOLDER")
    return _scene_facts(arguments.scene, arguments.image) if arguments.scene else {}


def _perceived_facts(model: Path, image: str | None) -> dict[Fact, float]:
    """What a model perceives in an image; the objects are listed on standard error."""
    from nsmodels.commands.perceiving import perceiver

    if image is None:
        raise InputError("rules ask: --model needs --image FILE")
    (seen,) = perceiver(model)([Path(image)])
    for thing, name in seen.names.items():
        place = " ".join(f"{side:.0f}" for side in seen.boxes[thing])
        print(
            f"{thing}: {name}, there with {seen.facts.get((OBJECT, (thing,)), 0.0):.3f}, box {place}", file=sys.stderr
        )
    return dict(seen.facts)


def _scene_facts(path: Path, image: str | None) -> dict[Fact, float]:
    from nsmodels.scenery.rule_learning.examples import read_graphs, vocabulary_beside

    graphs = {graph.image: graph for graph in read_graphs(path)}
    if image is None and len(graphs) != 1:
        raise InputError(f"{path}: {len(graphs):,} scene graphs; choose one by --image ID")
    image = image or next(iter(graphs))
    if image not in graphs:
        raise InputError(f"{path}: no image '{image}'{near(image, graphs) or ''}; expected one of its {len(graphs):,}")
    words = vocabulary_beside(path)
    if words is None:
        print(f"{path}: no vocabulary.json beside it; facts are without categories of names", file=sys.stderr)
    facts = ScenePredicates(words or SceneVocabulary(names=())).facts(graphs[image])
    return dict.fromkeys(facts, 1.0)


def _learn(arguments: argparse.Namespace) -> int:
    from nsmodels.commands.perceiving import perceiving
    from nsmodels.datasets.gqa.vocabulary.building import read_vocabulary
    from nsmodels.scenery.rule_learning.learner import Source, learn_from_folder

    config = LearnConfig().with_values(values_from_flags(arguments))
    labels = programs.load(arguments.rules) if arguments.rules else None
    perceive = perceiving(arguments.model, arguments.data) if arguments.model else None
    splits = (arguments.split, arguments.held_out)
    source = Source(arguments.data, read_vocabulary(arguments.data), splits, arguments.most, perceive)
    found = learn_from_folder(source, arguments.target, labels, config)
    print(found.text())
    if arguments.out:
        disk.write_atomic(arguments.out, found.rule_file())
        print(f"written: {arguments.out}", file=sys.stderr)
    return 0


def _study(arguments: argparse.Namespace) -> int:
    from nsmodels.commands.perceiving import study_rules

    config = cli.config_from(arguments, PRESETS, "quick")
    order = Order(arguments.out.name, config, Inputs.of(arguments.data), arguments.out, arguments.force)
    study_rules(order)  # type: ignore[arg-type]  # presets are of one class
    print((arguments.out / "table.txt").read_text(encoding="utf-8"), end="")
    return 0
