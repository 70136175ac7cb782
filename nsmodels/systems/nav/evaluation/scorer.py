"""Evaluation of the navigator and the baselines on the same problems: actions, scores, times."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from nsmodels.core import artifact
from nsmodels.core.progress import counted
from nsmodels.datasets.mazes.files.format import read_split
from nsmodels.datasets.mazes.grids import Maps, PackedMaps
from nsmodels.datasets.mazes.solving.labels import Labels, label
from nsmodels.evaluation.outcomes import Outcomes, distinct
from nsmodels.systems.nav.evaluation.exact_path import exact_path
from nsmodels.systems.nav.evaluation.scoring import Table, concatenate_tables, correct_cells, score
from nsmodels.systems.nav.network.construction import load_navigator
from nsmodels.systems.nav.network.navigator import Navigator
from nsmodels.systems.nav.network.readout import REACHABLE_THRESHOLD, Policy
from nsmodels.systems.nav.planning.heuristics import greedy, uniform
from nsmodels.systems.nav.training.plain import PlainNetwork, load_plain

CHUNK_CELLS = 2**18
FEWEST_MAPS = 10  # that are drawn again for intervals
MOST_CELLS = 2**26  # whose confidence is kept: of more cells every second, third... is
MODEL = "navigator"
FACTS = ("kind", "name", "mark", "path", "size", "density", "detour")
T = TypeVar("T")


@dataclass(frozen=True)
class Problems:
    """Problems on maps of one shape, with facts about each.

    Attributes:
        maps: n problems, perhaps packed as they are stored.
        facts: kind, name, mark, path (digits of a shortest one, may be empty), size, density, detour of each, (n,).
        optimum: their optimal costs (n,) where they come from a source other than the labels.
    """

    maps: Maps | PackedMaps
    facts: dict[str, NDArray]
    optimum: NDArray[np.float64] | None = None

    @property
    def size(self) -> str:
        """Name of the group that these problems are counted in: `size_name`, with the suffix of `with_size_suffix`."""
        return str(self.facts["size"][0])

    def with_size_suffix(self, word: str) -> Problems:
        """The same problems in a size group of their own, such as `16x16 (word)`."""
        return replace(self, facts=self.facts | {"size": np.full(len(self.maps), f"{size_name(self.maps)} ({word})")})

    def parts(self) -> Iterator[Problems]:
        """The problems in parts of about `CHUNK_CELLS` cells."""
        size = max(1, CHUNK_CELLS // (self.maps.shape[0] * self.maps.shape[1]))
        for first in range(0, len(self.maps), size):
            rows = slice(first, first + size)
            facts = {name: column[rows] for name, column in self.facts.items()}
            yield Problems(self.maps[rows], facts, None if self.optimum is None else self.optimum[rows])


def read_problems(data: Path, split: str) -> list[Problems]:
    """The problems of a split, one entry per shape; raise `InputError` for data that cannot be read."""
    whole, found = read_split(data, split), []
    for group in whole.groups:
        part = whole.index.iloc[group.rows]
        facts = {name: part[name].to_numpy() for name in FACTS if name != "size"}
        facts["size"] = np.full(len(part), size_name(group.maps))
        found.append(Problems(group.maps, facts))
    return found


def size_name(maps: Maps | PackedMaps) -> str:
    """Rows x columns, such as `8x8`."""
    return f"{maps.shape[0]}x{maps.shape[1]}"


@dataclass
class Measurements:
    """All measurements on n problems.

    Attributes:
        facts: facts of each problem by name, (n,).
        tables: scores by policy, see `scoring`; nan where a network does not accept the shape. The navigator's has more
            columns: `halting`, `steps`, `blocked` (free cells from which the goal cannot be reached), `recognised` of
            them, `alarms` (cells from which it can, predicted that it cannot), `undecided` (cells without a path at the
            limit of steps), `exact` and `unique` (see `exact_path`).
        confidence: (m,) that the action is optimal, of the cells from which the goal can be reached.
        is_right: (m,) whether it is.
        seconds: by policy and size, (3,): number of maps, wall seconds, CPU seconds.
    """

    facts: dict[str, NDArray]
    tables: dict[str, Table]
    confidence: NDArray[np.float32]
    is_right: NDArray[np.bool_]
    seconds: dict[str, dict[str, NDArray]]

    @property
    def clusters(self) -> NDArray:
        """Clusters (n,) for intervals: the problems of one map; on few maps each problem is its own cluster."""
        # The means of two or three maps, drawn again and again, are no estimate of a spread.
        marks = np.unique(self.facts["mark"], return_inverse=True)[1]
        return marks if self.num_maps >= FEWEST_MAPS else np.arange(len(marks))

    @property
    def num_maps(self) -> int:
        """Number of different maps."""
        return len(np.unique(self.facts["mark"]))

    def outcomes(self, split: str) -> Outcomes:
        """Success of the navigator on each problem; problems on equal maps have numbered names."""
        maps = zip(self.facts["size"], self.facts["mark"], strict=True)
        items = distinct(f"{split}/{size}/{mark}" for size, mark in maps)
        clusters = self.facts["mark"].tolist() if self.num_maps > 1 else items
        return Outcomes("success", split, items, clusters, self.tables[MODEL]["success"])


@dataclass
class Evaluator:
    """Evaluator of a checkpoint's navigator, its plain networks, the greedy rule and chance.

    `max_steps` limits the recursion (None: by the size of the map); `train_cpu_seconds`: of each network, by name.
    """

    navigator: Navigator
    plain: dict[str, PlainNetwork] = field(default_factory=dict)
    max_steps: int | None = None
    train_cpu_seconds: dict[str, float] = field(default_factory=dict)

    @classmethod
    def load(cls, checkpoint: Path, device: str = "auto", max_steps: int = 0) -> Evaluator:
        """The evaluator of a checkpoint folder; raise `InputError` when it is none."""
        navigator, plain = load_navigator(checkpoint, device), load_plain(checkpoint, device)
        measured = artifact.read_manifest(checkpoint).metrics
        spent = {name: measured.get(f"{name}/cpu_seconds") for name in (MODEL, *plain)}
        known = {name: float(seconds) for name, seconds in spent.items() if seconds is not None}
        return cls(navigator, plain, max_steps or None, known)

    def unsupported_reason(self, maps: Maps | PackedMaps) -> str:
        """The reason why the navigator does not support maps of this shape; empty when it does."""
        config = self.navigator.config
        if self.navigator.accepts(maps.shape):
            return ""
        return f"core=mixer supports maps of {config.height}x{config.width} only"

    def evaluate(self, problems: Sequence[Problems], label: str = "evaluating") -> Measurements:
        """Score all policies on `problems`, at least one, of supported shapes; `label` is that of the progress bar."""
        parts = [part for each in problems for part in each.parts()]
        shown = counted(parts, len(parts), label, "part", show=len(parts) > 1)
        scored, seconds = [], defaultdict(lambda: defaultdict(lambda: np.zeros(3)))
        warm: set[tuple[int, int]] = set()
        stride = -(-sum(len(each.maps) * math.prod(each.maps.shape) for each in problems) // MOST_CELLS)
        for number, part in enumerate(shown):
            if part.maps.shape not in warm:
                warm.add(part.maps.shape)
                self._warm_up(part.maps[:1])
            scored.append(self._evaluate_part(part, np.random.default_rng(number), seconds, stride))
        names = scored[0].tables
        return Measurements(
            {name: np.concatenate([part.facts[name] for part in scored]) for name in FACTS},
            {name: concatenate_tables([part.tables[name] for part in scored]) for name in names},
            np.concatenate([part.confidence for part in scored]),
            np.concatenate([part.is_right for part in scored]),
            {name: dict(sizes) for name, sizes in seconds.items()},
        )

    def _warm_up(self, maps: Maps) -> None:
        """Run every network once: the first batch of a shape is slower."""
        self.navigator.policy(maps, max_steps=1)
        for network in self.plain.values():
            if network.accepts(maps):
                network.policy(maps)

    def _evaluate_part(self, problems: Problems, rng: np.random.Generator, seconds: Any, stride: int) -> Measurements:
        maps = problems.maps[:]
        labels = label(maps)

        def timed(name: str, make: Callable[[], T]) -> T:
            wall, cpu = time.perf_counter(), time.process_time()
            made = make()
            spent = (len(maps), time.perf_counter() - wall, time.process_time() - cpu)
            seconds[name][problems.size] += np.array(spent)
            return made

        policy = timed(MODEL, lambda: self.navigator.policy(maps, self.max_steps))
        actions = {MODEL: policy.actions, "greedy": timed("greedy", lambda: greedy(maps))}
        actions["random"] = uniform(maps, rng)
        for name, network in self.plain.items():
            if network.accepts(maps):
                actions[name] = timed(name, lambda network=network: network.policy(maps).actions)
        tables = {name: score(table, maps, labels, problems.optimum) for name, table in actions.items()}
        blank = {name: np.full(len(maps), np.nan) for name in tables[MODEL]}
        tables |= {name: dict(blank) for name in self.plain if name not in tables}
        is_right, is_counted = correct_cells(policy.actions, maps, labels)
        tables[MODEL] |= _reachability_columns(policy, maps, labels) | exact_path(
            policy.actions, maps, labels, problems.facts
        )
        confidence, is_right = policy.confidence[is_counted][::stride], is_right[is_counted][::stride]
        return Measurements(problems.facts, tables, confidence, is_right, {})


def _reachability_columns(policy: Policy, maps: Maps, labels: Labels) -> dict[str, NDArray]:
    """Columns (n,) of the navigator's halting, steps, and predictions of reachability."""
    can_reach, is_unbelieved = np.isfinite(labels.cost_to_go), policy.reachable < REACHABLE_THRESHOLD
    is_blocked, is_final = maps.free & ~can_reach, policy.is_final[:, None, None]
    is_denied = is_unbelieved & is_final  # before the policy is final, a cell without a path is undecided
    counts = {"blocked": is_blocked, "recognised": is_blocked & is_denied, "alarms": (labels.optimal != 0) & is_denied}
    counts["undecided"] = maps.free & is_unbelieved & ~is_final
    columns = {name: cells.sum((1, 2)).astype(float) for name, cells in counts.items()}
    return columns | {"halting": policy.halting.astype(float), "steps": policy.steps.astype(float)}
