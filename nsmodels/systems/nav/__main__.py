"""Command line of the navigator: `nsmodels nav train | evaluate | plan | export | study`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nsmodels.core import artifact
from nsmodels.core.cli import Parser, add_config_flags, config_from, run
from nsmodels.core.errors import InputError
from nsmodels.systems.nav.config import PRESETS, NavConfig
from nsmodels.systems.nav.studies.config import GRID_PRESETS, SCALING_PRESETS, DataScalingConfig, GridSearchConfig

if TYPE_CHECKING:
    from nsmodels.systems.nav.planning.plan import Plan

MODEL_KEY = "nav_model"
WIDEST = 80  # columns of a map that is also printed


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and do what the verb says."""
    arguments = _parser().parse_args(argv)
    return arguments.verb(arguments)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="nsmodels nav", description=__doc__)
    verbs = parser.add_subparsers(metavar="verb", required=True)
    train = verbs.add_parser("train", help="train the navigator, an MLP and a CNN on navigation data; resumes")
    _add_making(train)
    add_config_flags(train, PRESETS, None)
    train.set_defaults(verb=_train)
    evaluate = verbs.add_parser("evaluate", help="score a checkpoint, with baselines beside it")
    evaluate.add_argument("--checkpoint", type=Path, required=True, help="folder made by train")
    evaluate.add_argument("--data", type=Path, help="folder made by nsmodels mazes generate")
    evaluate.add_argument("--split", help="test, val, train or transfer [test]")
    evaluate.add_argument("--map", type=Path, metavar="FILE.map", help="instead of --data: a MovingAI map")
    evaluate.add_argument("--scen", type=Path, metavar="FILE.scen", help="with --map: problems on it")
    evaluate.add_argument(
        "--max-problems", type=_whole, metavar="N", help="with --map: so many problems, spread evenly (0: all) [0]"
    )
    evaluate.add_argument("--json", type=Path, metavar="FILE", help="also write the whole report")
    _add_thinking(evaluate)
    evaluate.set_defaults(verb=_evaluate)
    plan = verbs.add_parser("plan", help="a path from start to goal, walked on the map before it is shown")
    _add_checkpoint(plan)
    plan.add_argument("--map", type=Path, required=True, metavar="FILE.map", help="MovingAI map")
    plan.add_argument("--start", required=True, metavar="R,C", help="row and column, counted from 0")
    plan.add_argument("--goal", required=True, metavar="R,C", help="row and column, counted from 0")
    plan.add_argument("--draw", type=Path, metavar="FILE", help="draw the path over the map (.png .svg .pdf)")
    plan.add_argument("--fallback", action="store_true", help="exact A* where the network fails; says what is optimal")
    plan.add_argument("--json", type=Path, metavar="FILE", help="write the plan as JSON")
    _add_thinking(plan)
    plan.set_defaults(verb=_plan)
    export = verbs.add_parser("export", help="write the network as an ONNX graph")
    _add_checkpoint(export)
    export.add_argument("--out", type=Path, required=True, metavar="FILE.onnx", help="the graph")
    export.add_argument("--steps", type=_count, metavar="N", help="recursion steps in the graph [as in training]")
    export.add_argument("--height", type=_count, help="rows, for a core that is exported for one map size")
    export.add_argument("--width", type=_count, help="columns, likewise")
    export.set_defaults(verb=_export)
    _add_studies(verbs.add_parser("study", help="many trainings: a grid of settings, or more and more data"))
    return parser


def _add_studies(study: argparse.ArgumentParser) -> None:
    kinds = study.add_subparsers(metavar="study", required=True)
    for name, presets, text in (
        ("grid", GRID_PRESETS, "every combination of width, depth and dropout; resumes"),
        ("scaling", SCALING_PRESETS, "more and more maps, with and without augmentation; resumes"),
    ):
        kind = kinds.add_parser(name, help=text)
        _add_making(kind)
        add_config_flags(kind, presets, None)
        kind.set_defaults(verb=_study, study=name, presets=presets)


def _add_making(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="folder made by nsmodels mazes generate")
    parser.add_argument("--out", type=Path, required=True, help="folder of the result")
    parser.add_argument("--force", action="store_true", help="make it again though nothing changed")


def _add_checkpoint(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--checkpoint", type=Path, help=f"folder made by train [{MODEL_KEY} of the data root]")


def _add_thinking(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--steps", type=_count, metavar="N", help="recursion steps at most [by the size of the map]")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N [auto]")


def _count(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 on, got '{text}'")
    return number


def _whole(text: str) -> int:
    return 0 if text == "0" else _count(text)


def _check_target(path: Path | None) -> None:
    """Raise `InputError` when no file can be written at `path`, before anything is computed."""
    if path and path.is_dir():
        raise InputError(f"{path}: is a folder; give the name of a file")
    if path and not path.parent.is_dir():
        raise InputError(f"{path}: the folder {path.parent} does not exist; make it first or give another place")


def _cell(name: str, text: str) -> tuple[int, int]:
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 2 or not all(part.isdecimal() for part in parts):
        raise InputError(f"--{name} {text}: expected a row and a column counted from 0, as 3,17")
    return int(parts[0]), int(parts[1])


def _checkpoint(given: Path | None) -> Path:
    """The folder given, else the asset's; `InputError` with the command that makes it when there is none."""
    folder = given or artifact.folder_of(MODEL_KEY)
    if not given or not (folder / "navigator").is_dir():
        artifact.read_manifest(folder, None if given else MODEL_KEY)
    return folder


def _train(arguments: argparse.Namespace) -> int:
    from nsmodels.systems.nav.train import train

    config = config_from(arguments, PRESETS, _preset(arguments))
    assert isinstance(config, NavConfig)
    _tell(arguments.out, train(config, arguments.data, arguments.out, arguments.out.name, is_forced=arguments.force))
    return 0


def _study(arguments: argparse.Namespace) -> int:
    from nsmodels.systems.nav.studies.experiments import data_scaling, grid_search

    config, name = config_from(arguments, arguments.presets, _preset(arguments)), arguments.out.name
    if isinstance(config, GridSearchConfig):
        made = grid_search(config, arguments.data, arguments.out, name, is_forced=arguments.force)
    else:
        assert isinstance(config, DataScalingConfig)
        made = data_scaling(config, arguments.data, arguments.out, name, is_forced=arguments.force)
    print((arguments.out / "table.txt").read_text())
    _tell(arguments.out, made)
    return 0


def _preset(arguments: argparse.Namespace) -> str:
    """The preset that the hardware suggests; says so when it decides."""
    import torch

    name, reason = ("base", "a GPU was found") if torch.cuda.is_available() else ("quick", "no GPU was found")
    if arguments.preset is None:
        print(f"preset {name} ({reason})", file=sys.stderr)
    return name


def _tell(folder: Path, manifest: artifact.Manifest) -> None:
    print(f"{folder}: sealed, fingerprint {manifest.fingerprint}, data {manifest.source}")
    for name, value in manifest.metrics.items():
        print(f"  {name}: {value:.4g}" if isinstance(value, float) else f"  {name}: {value}")


def _evaluate(arguments: argparse.Namespace) -> int:
    from nsmodels.systems.nav.evaluation.report import table

    _check_target(arguments.json)
    print(table(result := _report(arguments)))
    if arguments.json:
        artifact.write_json(arguments.json, result)
    return 0


def _report(arguments: argparse.Namespace) -> dict[str, Any]:
    from nsmodels.systems.nav.evaluate import evaluate_checkpoint, evaluate_map

    map, scen, data, steps = arguments.map, arguments.scen, arguments.data, arguments.steps or 0
    if arguments.max_problems is not None and not map:
        raise InputError("evaluate: --max-problems goes with --map; a split is scored as a whole")
    if data and not map and not scen:
        return evaluate_checkpoint(arguments.checkpoint, data, arguments.split or "test", arguments.device, steps)
    if not (map and scen) or data:
        raise InputError("evaluate: give either --data FOLDER or both --map FILE.map and --scen FILE.scen")
    if arguments.split:
        raise InputError("evaluate: --split goes with --data; a .scen file is scored as a whole")
    return evaluate_map(arguments.checkpoint, map, scen, arguments.device, arguments.max_problems or 0, steps)


def _plan(arguments: argparse.Namespace) -> int:
    from nsmodels.datasets.mazes.files.movingai import read_map
    from nsmodels.systems.nav.network.navigator import Navigator
    from nsmodels.systems.nav.pictures.drawing import as_text, check_suffix, draw_plan
    from nsmodels.systems.nav.planning.plan import plan_many, problem

    start, goal = _cell("start", arguments.start), _cell("goal", arguments.goal)
    if arguments.draw:
        check_suffix(arguments.draw)
    for target in (arguments.draw, arguments.json):
        _check_target(target)
    free = read_map(arguments.map)
    problem(free, start, goal)
    navigator = Navigator.load(_checkpoint(arguments.checkpoint), arguments.device)
    maps = problem(free, start, goal, connectivity=navigator.config.connectivity)
    (found,) = plan_many(navigator, maps, arguments.fallback, arguments.steps)
    if maps.shape[1] <= WIDEST:
        print(as_text(maps, 0, found))
    print(_verdict(found))
    if arguments.draw:
        draw_plan(found, maps, 0, arguments.draw)
    if arguments.json:
        artifact.write_json(arguments.json, found.to_dict())
    return 0


def _verdict(found: Plan) -> str:
    lines = [found.why]
    if found.is_found:
        beside = "" if found.optimal_cost is None else f", optimal {found.optimal_cost:.6g}"
        lines += [f"{len(found.actions)} moves, cost {found.cost:.6g}{beside}; checked by walking it on the map"]
    elif found.is_reachable and not found.is_certain:
        lines += [f"no plan after {len(found.actions)} moves; --fallback finds an exact one, or that there is none"]
    if len(found.confidence):
        lines += [f"confidence of the network in these moves: least {found.confidence.min():.3f}"]
    lines += [f"recursion steps: {found.steps}; the network's probability of a way: {found.probability:.3f}"]
    return "\n".join(lines)


def _export(arguments: argparse.Namespace) -> int:
    from nsmodels.systems.nav.network.export import check, export
    from nsmodels.systems.nav.network.navigator import Navigator

    check(arguments.out)
    if (arguments.height is None) != (arguments.width is None):
        raise InputError("export: give --height and --width together")
    shape = None if arguments.height is None else (arguments.height, arguments.width)
    navigator = Navigator.load(_checkpoint(arguments.checkpoint), "cpu")
    made = export(navigator, arguments.out, arguments.steps, shape)
    print(f"{made.path}: {made.steps} recursion steps, {made.sizes}, {made.path.stat().st_size / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
