"""Command line of the navigator: `nsmodels nav train | evaluate | plan | export | study`."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nsmodels.core import artifact, disk
from nsmodels.core.cli import Parser, run
from nsmodels.core.errors import InputError
from nsmodels.engine.commands import verbs
from nsmodels.systems.nav import SYSTEM
from nsmodels.systems.nav.studies.config import SCALING_PRESETS
from nsmodels.systems.nav.studies.grid import GRID_PRESETS
from nsmodels.systems.nav.studies.variants import ABLATION_PRESETS

if TYPE_CHECKING:
    from nsmodels.systems.nav.network.navigator import Navigator
    from nsmodels.systems.nav.planning.plan import Plan

MODEL_KEY = "nav_model"
WIDEST = 80  # columns of a map that is also printed
NAV_STUDIES = "nsmodels.systems.nav.studies"
STUDIES = {
    "ablations": verbs.Study(
        f"{NAV_STUDIES}.ablations:ablate",
        ABLATION_PRESETS,
        "the navigator without one part after the other, over the same seeds",
    ),
    "grid": verbs.Study(
        f"{NAV_STUDIES}.grid:grid_search", GRID_PRESETS, "every combination of width, depth and dropout"
    ),
    "scaling": verbs.Study(
        f"{NAV_STUDIES}.experiments:data_scaling", SCALING_PRESETS, "more and more maps, with and without augmentation"
    ),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and run the verb."""
    arguments = parser().parse_args(argv)
    return arguments.verb(arguments)


def parser() -> Parser:
    """The parser of this command line."""
    return verbs.parser(SYSTEM, _add_verbs)


def _add_verbs(added: Any) -> None:
    _add_evaluate(added)
    _add_plan(added)
    _add_export(added)
    verbs.add_studies(
        added, SYSTEM, "many trainings: without one part each, a grid of settings, or more and more data", STUDIES
    )


def _add_evaluate(added: Any) -> None:
    evaluate = added.add_parser("evaluate", help="score a checkpoint, with baselines beside it")
    evaluate.add_argument("--checkpoint", type=Path, required=True, help="folder made by train")
    evaluate.add_argument("--data", type=Path, help="folder made by nsmodels mazes generate")
    evaluate.add_argument("--split", help="test, val, train or transfer [test]")
    evaluate.add_argument(
        "--map",
        type=Path,
        metavar="FILE.map",
        help="instead of --data: a MovingAI map, or a folder of maps with their .scen files beside or below them",
    )
    evaluate.add_argument("--scen", type=Path, metavar="FILE.scen", help="with --map FILE.map: problems on it")
    evaluate.add_argument(
        "--max-problems",
        type=_whole,
        metavar="N",
        help="with --map: so many problems, of a folder so many of each range of lengths, spread evenly (0: all) [0]",
    )
    evaluate.add_argument(
        "--draw",
        type=Path,
        metavar="FILE",
        help="with --map: draw the worst problem (.png .svg .pdf), or into a folder one of each range of lengths",
    )
    verbs.add_report(evaluate)
    _add_recursion(evaluate)
    evaluate.set_defaults(verb=_evaluate)


def _add_plan(added: Any) -> None:
    plan = added.add_parser("plan", help="a path from start to goal, walked on the map before it is shown")
    plan.add_argument("--checkpoint", type=Path, help="folder made by train [a navigator that ships with the package]")
    plan.add_argument(
        "--connectivity", type=int, choices=(4, 8), help="moves of the shipped navigator: 4, or 8 with diagonals [4]"
    )
    plan.add_argument("--map", type=Path, required=True, metavar="FILE.map", help="MovingAI map")
    plan.add_argument("--start", required=True, metavar="R,C", help="row and column, counted from 0")
    plan.add_argument("--goal", required=True, metavar="R,C", help="row and column, counted from 0")
    plan.add_argument("--draw", type=Path, metavar="FILE", help="draw the path over the map (.png .svg .pdf)")
    plan.add_argument("--fallback", action="store_true", help="exact A* where the network fails; prints optimal cost")
    plan.add_argument("--json", type=Path, metavar="FILE", help="write the plan as JSON")
    _add_recursion(plan)
    plan.set_defaults(verb=_plan)


def _add_export(added: Any) -> None:
    export = added.add_parser("export", help="write the network as an ONNX graph")
    _add_checkpoint(export)
    export.add_argument("--out", type=Path, required=True, metavar="FILE.onnx", help="the graph")
    export.add_argument(
        "--steps",
        type=_count,
        metavar="N",
        help="recursion steps at most [until no value changes; latents: as in training]",
    )
    export.add_argument("--height", type=_count, help="rows, for a core that is exported for one map size")
    export.add_argument("--width", type=_count, help="columns, likewise")
    export.set_defaults(verb=_export)


def _add_checkpoint(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--checkpoint", type=Path, help=f"folder made by train [{MODEL_KEY} of the data root]")


def _add_recursion(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--steps", type=_count, metavar="N", help="recursion steps at most [by the size of the map]")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N [auto]")


def _count(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 on, got '{text}'")
    return number


def _whole(text: str) -> int:
    return 0 if text == "0" else _count(text)


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


def _evaluate(arguments: argparse.Namespace) -> int:
    from nsmodels.systems.nav.evaluation.report import table

    read = [arguments.map, arguments.scen, arguments.data, arguments.checkpoint]
    artifact.require_files({"--json": arguments.json}, read)
    _require_one_kind(arguments)
    if arguments.data:
        values = {"split": arguments.split or "test", "max_steps": arguments.steps or 0, "device": arguments.device}
        return verbs.evaluate(SYSTEM, arguments, arguments.data, values)
    report = _report_of_maps(arguments)
    print(table(report))
    if arguments.json:
        disk.write_json(arguments.json, report)
    return 0


def _require_one_kind(arguments: argparse.Namespace) -> None:
    """Raise InputError unless there is a split, or maps, to score, with the flags of that alone."""
    map, scen, data = arguments.map, arguments.scen, arguments.data
    for name in ("max_problems", "draw"):
        if getattr(arguments, name) is not None and not map:
            flag = f"--{name.replace('_', '-')}"
            raise InputError(f"evaluate: {flag} goes with --map; a split is scored as a whole, with its figures")
    if data and not map and not scen:
        return
    is_folder = map is not None and map.is_dir()
    if data or not map or bool(scen) == is_folder:
        raise InputError(
            "evaluate: give either --data FOLDER, or --map FILE.map and --scen FILE.scen, or --map FOLDER alone"
        )
    if arguments.split:
        raise InputError("evaluate: --split goes with --data; a .scen file is scored as a whole")
    if arguments.out:
        raise InputError(
            "evaluate: --out goes with --data; problems on maps are not ranked, --json writes their report"
        )


def _report_of_maps(arguments: argparse.Namespace) -> dict[str, Any]:
    from nsmodels.systems.nav.evaluate import evaluate_folder, evaluate_map
    from nsmodels.systems.nav.pictures.drawing import check_suffix

    if arguments.draw and arguments.draw.suffix:
        check_suffix(arguments.draw)
        artifact.require_files({"--draw": arguments.draw}, [arguments.map])
    how = (arguments.device, arguments.max_problems or 0, arguments.steps or 0, arguments.draw)
    if arguments.scen:
        return evaluate_map(arguments.checkpoint, arguments.map, arguments.scen, *how)
    return evaluate_folder(arguments.checkpoint, arguments.map, *how)


def _plan(arguments: argparse.Namespace) -> int:
    from nsmodels.datasets.mazes.files.movingai import check_ends, layer, read_terrain
    from nsmodels.systems.nav.pictures.drawing import as_text, check_suffix, draw_plan
    from nsmodels.systems.nav.planning.plan import plan_many, problem

    start, goal = _cell("start", arguments.start), _cell("goal", arguments.goal)
    if arguments.draw:
        check_suffix(arguments.draw)
    artifact.require_files({"--draw": arguments.draw, "--json": arguments.json}, [arguments.map])
    terrain = read_terrain(arguments.map)
    free = layer(terrain, *start)
    check_ends(terrain, start, goal)
    problem(free, start, goal)
    navigator = _navigator(arguments.checkpoint, arguments.connectivity, arguments.device)
    maps = problem(free, start, goal, None, navigator.config.connectivity, navigator.diagonals)
    (found,) = plan_many(navigator, maps, arguments.fallback, arguments.steps)
    if maps.shape[1] <= WIDEST:
        print(as_text(maps, 0, found))
    print(_verdict(found))
    if arguments.checkpoint is None:
        print("planned by the navigator that ships with the package; --checkpoint takes one of your own")
    for line in navigator.cautions(maps):
        print(f"caution: {line}", file=sys.stderr)
    if arguments.draw:
        draw_plan(found, maps, 0, arguments.draw)
    if arguments.json:
        disk.write_json(arguments.json, found.to_dict())
    return 0 if found.is_found else 1


def _navigator(checkpoint: Path | None, connectivity: int | None, device: str) -> Navigator:
    """The navigator of a checkpoint, else the shipped one of so many moves."""
    from nsmodels.systems.nav.network.construction import load_navigator
    from nsmodels.systems.nav.network.shipped import load_shipped

    if checkpoint is None:
        return load_shipped(connectivity or 4, device)
    navigator = load_navigator(_checkpoint(checkpoint), device)
    if connectivity not in (None, navigator.config.connectivity):
        raise InputError(
            f"--connectivity {connectivity}: {checkpoint} has {navigator.config.connectivity} moves; omit it"
        )
    return navigator


def _verdict(found: Plan) -> str:
    lines = [found.why]
    if found.is_found:
        beside = "" if found.optimal_cost is None else f", optimal {found.optimal_cost:.6g}"
        lines += [f"{len(found.actions)} moves, cost {found.cost:.6g}{beside}; checked by walking it on the map"]
    elif found.is_reachable and not found.is_final:
        lines += [f"there is a path; more --steps than {found.steps}, or --fallback, may find it"]
    elif found.is_reachable:
        lines += [f"no plan after {len(found.actions)} moves, but there is a path; --fallback finds it"]
    if len(found.confidence):
        lines += [f"confidence of the network in these moves: least {found.confidence.min():.3f}"]
    lines += [f"recursion steps: {found.steps}; the network's probability of a way: {found.probability:.3f}"]
    return "\n".join(lines)


def _export(arguments: argparse.Namespace) -> int:
    from nsmodels.layers import onnx_graphs
    from nsmodels.systems.nav.network.construction import load_navigator
    from nsmodels.systems.nav.network.export import export

    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    onnx_graphs.check(arguments.out)
    if (arguments.height is None) != (arguments.width is None):
        raise InputError("export: give --height and --width together")
    shape = None if arguments.height is None else (arguments.height, arguments.width)
    navigator = load_navigator(_checkpoint(arguments.checkpoint), "cpu")
    made = export(navigator, arguments.out, arguments.steps, shape)
    print(f"{made.path}: {made.about_steps}, {made.sizes}, {made.path.stat().st_size / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
