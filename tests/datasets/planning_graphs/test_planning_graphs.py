"""Plans: reader, search, twins and traces against independent oracles; data independent of threads and hash seed."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pddl
import pytest

from nsmodels.core.artifact import read_manifest
from nsmodels.core.errors import InputError
from nsmodels.datasets.planning_graphs import checks, domains, replay
from nsmodels.datasets.planning_graphs import vocabulary as v
from nsmodels.datasets.planning_graphs.config import PlanningGraphsConfig, debug
from nsmodels.datasets.planning_graphs.drawing.pairs import draw
from nsmodels.datasets.planning_graphs.look import graph_text
from nsmodels.datasets.planning_graphs.prepare import prepare
from nsmodels.datasets.planning_graphs.reordering import Solved, groups, twins_of
from nsmodels.datasets.planning_graphs.strips.grounding import ground
from nsmodels.datasets.planning_graphs.strips.reader import read_domain, read_problem
from nsmodels.datasets.planning_graphs.strips.search import find_plan
from nsmodels.datasets.planning_graphs.strips.simulation import execute
from nsmodels.formats.graphs import files
from nsmodels.formats.graphs.tables import Graph, graph
from tests.shared import Shared

LIGHTS = """(define (domain lights) (:requirements :strips :typing :negative-preconditions) (:types lamp)
  (:predicates (lit ?l - lamp) (wired ?l - lamp))
  (:action switch-on :parameters (?l - lamp) :precondition (and (wired ?l) (not (lit ?l))) :effect (lit ?l))
  (:action switch-off :parameters (?l - lamp) :precondition (lit ?l) :effect (not (lit ?l))))"""
LAMPS = """(define (problem lamps) (:domain lights) (:objects a b c d e f - lamp)
  (:init (lit a) (lit b) (wired a) (wired b) (wired c) (wired d) (wired e) (wired f))
  (:goal (and (lit c) (lit d) (lit e) (lit f) (not (lit a)) (not (lit b)))))"""


@pytest.fixture(scope="module")
def folder(shared: Shared) -> Path:
    return shared.data("planning_graphs")


@pytest.mark.parametrize("name", domains.NAMES)
def test_another_reader_finds_the_same_actions(name: str, tmp_path: Path) -> None:
    (tmp_path / "domain.pddl").write_text(domains.TEXTS[name], encoding="utf-8")
    (tmp_path / "problem.pddl").write_text(domains.problem_text(name), encoding="utf-8")
    other, problem = pddl.parse_domain(tmp_path / "domain.pddl"), pddl.parse_problem(tmp_path / "problem.pddl")
    own, task = domains.domain(name), read_problem(domains.problem_text(name), name)
    assert {each.name for each in own.schemas} == {str(each.name) for each in other.actions}
    assert {n: len(s.parameters) for s in own.schemas for n in [s.name]} == {
        str(each.name): len(each.parameters) for each in other.actions
    }
    assert set(own.predicates) == {str(each.name) for each in other.predicates}
    assert set(task.objects) == {str(each.name) for each in problem.objects}
    assert {atom[0] for atom in task.init} <= {str(each.name) for each in other.predicates}


def test_a_negative_precondition_is_met_and_the_plan_found_runs() -> None:
    task = ground(read_domain(LIGHTS, "lights"), read_problem(LAMPS, "lamps"))
    assert len(task.actions) == 12
    plan = find_plan(task)
    assert plan is not None
    assert len(plan) == 6
    assert execute(plan, task.init, task.goal).reaches_goal
    broken = execute([plan[0], plan[0]], task.init, task.goal)
    assert broken.failing_step == 1
    assert broken.unmet


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("(:types lamp)", "", r"action switch-on: \?l has the undeclared type 'lamp'"),
        ("(:types lamp)", "(:types lamp - lamp)", ":types: cycle through lamp, lamp"),
        (
            ":effect (lit ?l))",
            ":effect (when (wired ?l) (lit ?l)))",
            "action switch-on: effect has a conditional effect",
        ),
        (":effect (lit ?l))", ":effect (lit ?x))", r"action switch-on: \?x is not among its :parameters"),
        (":effect (lit ?l))", ":effect (lit ?l ?l))", r"\(lit \?l \?l\) has 2 arguments; declared with 1"),
        ("(not (lit ?l))))", "(not (lit ?l)))", "the bracket of line 1 is never closed"),
        ("(lit ?l - lamp)", "", "predicate 'lit' is not declared in :predicates"),
    ],
)
def test_a_bad_domain_is_named_in_one_line(old: str, new: str, line: str) -> None:
    with pytest.raises(InputError, match=f"^lights.pddl: .*{line}|{line}"):
        ground(read_domain(LIGHTS.replace(old, new), "lights.pddl"), read_problem(LAMPS, "lamps.pddl"), "lamps.pddl")


def test_a_goal_that_can_never_hold_is_refused() -> None:
    problem = read_problem(LAMPS.replace("(wired c) ", ""), "lamps.pddl")
    with pytest.raises(InputError, match=r"lamps.pddl: the goal \(lit c\) can never hold"):
        ground(read_domain(LIGHTS, "lights.pddl"), problem, "lamps.pddl")


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("(wired c)", "(wird c)", r":init: \(wird c\): the domain has no predicate 'wird'; did you mean wired"),
        ("(wired c)", "(wired c c)", r":init: \(wired c c\): has 2 arguments; declared with 1"),
        ("(wired c)", "(wired z)", r":init: \(wired z\): no object 'z'"),
        ("(:goal (and", "(:goal " + "(and " * 200, "more than 100 brackets within each other"),
    ],
)
def test_a_bad_problem_is_named_in_one_line(old: str, new: str, line: str) -> None:
    with pytest.raises(InputError, match=rf"^lamps\.pddl: .*{line}"):
        ground(read_domain(LIGHTS, "lights.pddl"), read_problem(LAMPS.replace(old, new), "lamps.pddl"), "lamps.pddl")


def test_problems_of_ones_own_become_twins(tmp_path: Path) -> None:
    (tmp_path / "in" / "lights").mkdir(parents=True)
    (tmp_path / "in" / "lights.pddl").write_text(LIGHTS, encoding="utf-8")
    (tmp_path / "in" / "lights" / "p1.pddl").write_text(
        LAMPS.replace("(:init (lit a) (lit b)", "(:init (lit a)").replace("(lit d)", "(not (lit d))"), encoding="utf-8"
    )
    config = PlanningGraphsConfig(source="problems", local_path=str(tmp_path / "in"), shortest_gap=1)
    with pytest.raises(InputError, match="no problem has a plan with two orders"):  # lamps do not depend on each other
        prepare(config, "lights", tmp_path / "out")
    (tmp_path / "in" / "gripper.pddl").write_text(domains.TEXTS["gripper"], encoding="utf-8")
    (tmp_path / "in" / "gripper").mkdir()
    text = domains.problem_text("gripper").replace("(ball-in x r)))", "(ball-in x s) (ball-in y s) (ball-in z r)))")
    (tmp_path / "in" / "gripper" / "p1.pddl").write_text(text, encoding="utf-8")
    made = prepare(config, "plans", tmp_path / "out")
    assert made.metrics["solved"] == {"gripper": 1, "lights": 0}
    assert made.metrics["pairs"]["lights"] == 0 < made.metrics["pairs"]["gripper"]
    assert checks.oracle_agrees(tmp_path / "out") == []
    assert checks.twins_are_equal(tmp_path / "out") == []


def test_interleaved_problems_are_one_problem_with_more_orders() -> None:
    task = domains.task("blocks")
    goal = frozenset(k for k, atom in enumerate(task.atoms) if atom[:2] == ("on-table", "a"))
    wanted = replace(task, goal=goal | {task.atoms.index(("on", "b", "c"))})
    plan = find_plan(wanted)
    assert plan is not None
    group = [Solved(f"blocks/{name}", wanted, plan) for name in "xyz"]
    config = PlanningGraphsConfig(source="problems")
    assert list(twins_of(group[:1], config, 0)) == []
    pairs = list(twins_of(group, config, 0))
    assert len(pairs) == 2 * config.pairs_per_problem
    assert pairs[0].id.startswith("blocks/x+y+z/0/")
    assert {one.length for one in pairs} == {3 * len(plan)}
    assert [fault for one in pairs for fault in replay.faults(one)] == []
    assert [len(each) for each in groups(group, 2)] == [2, 2, 2]


def test_a_wrong_label_and_a_wrong_trace_are_found(folder: Path) -> None:
    one = graph(files.read_split(folder, "test"), 0)
    assert replay.faults(one) == []
    one.label = 1 - one.label
    assert replay.faults(one)
    one.label = 1 - one.label
    one.truth[3, np.flatnonzero(one.node_types == v.ATOM)[0], v.HOLDS] ^= True
    assert replay.faults(one) == ["the trace differs from the simulation"]


def test_twins_of_other_steps_are_found(folder: Path, tmp_path: Path) -> None:
    graphs = files.read_split(folder, "test")
    needs = np.flatnonzero(graphs.relations[: graphs.edge_offsets[1]] == v.PRE)
    sources = graphs.sources.copy()
    sources[needs] = np.roll(sources[needs], 1)  # as many needs of every step and atom, but of others
    files.write(tmp_path / "test.parquet", graphs.replaced(sources=sources))
    assert checks.same_steps(folder) == []
    assert checks.same_steps(tmp_path) == [f"test {graphs.ids[0]}: its twin has other steps"]
    assert checks.twins_are_equal(tmp_path) == []


def test_each_round_follows_from_the_neighbours_of_the_round_before(folder: Path) -> None:
    graphs = files.read_split(folder, "train")
    known: dict[tuple, bool] = {}
    for row in range(12):
        for key, value in _local_states(graph(graphs, row)):
            assert known.setdefault(key, value) == value


def _local_states(one: Graph):
    """What a node can gather in one round, and its truth after it."""
    around: dict[int, list] = {}
    for s, t, r in zip(one.sources.tolist(), one.targets.tolist(), one.relations.tolist(), strict=True):
        around.setdefault(s, []).append((r, 0, t))
        around.setdefault(t, []).append((r, 1, s))
    for t in range(len(one.truth)):
        before = one.truth[t - 1] if t else np.zeros_like(one.truth[0])
        for node in range(len(one.node_types)):
            near = sorted((r, way, *before[u].tolist()) for r, way, u in around.get(node, []))
            own = (t > 0, one.node_types[node], one.features[node], one.marks[node], *before[node].tolist())
            for channel in np.flatnonzero(one.since[node] >= 0).tolist():
                yield (channel, *own, *near), bool(one.truth[t, node, channel])


def test_the_same_data_for_any_number_of_threads_and_any_hash_seed(folder: Path, tmp_path: Path) -> None:
    code = (
        "from nsmodels.datasets.planning_graphs.config import debug\n"
        "from nsmodels.datasets.planning_graphs.prepare import prepare\nfrom pathlib import Path\n"
        f"prepare(debug().with_values({{'num_workers': 2}}), 'planning_graphs', Path({str(tmp_path / 'again')!r}))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | {"PYTHONHASHSEED": "77"})
    assert read_manifest(tmp_path / "again").files == read_manifest(folder).files


def test_lifted_plans_have_equal_twins_and_text(tmp_path: Path) -> None:
    graphs = draw(debug().with_values({"encoding": "lifted"}), "test", 6, np.random.default_rng(0))
    graphs = graphs.replaced(ids=np.array([str(k) for k in range(12)], object))
    files.write(tmp_path / "test.parquet", graphs)
    for check in (checks.twins_are_equal, checks.same_steps, checks.schema, checks.oracle_agrees):
        assert check(tmp_path) == []
    ground_graphs = draw(debug(), "test", 6, np.random.default_rng(0))
    failing = int(np.flatnonzero(ground_graphs.labels == 0)[0])
    assert "steps, " in graph_text(graph(ground_graphs, failing))
