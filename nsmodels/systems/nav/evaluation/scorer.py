"""The navigator and its rivals on the same problems: what each does, how well, and how long it takes."""

from __future__ import annotations

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
from nsmodels.datasets.mazes.grids import Maps
from nsmodels.datasets.mazes.solving.labels import Labels, label
from nsmodels.evaluation.outcomes import Outcomes, distinct
from nsmodels.systems.nav.evaluation.exact_path import exact_path
from nsmodels.systems.nav.evaluation.scoring import Table, joined, right_cells, score
from nsmodels.systems.nav.network.navigator import BELIEVED, Navigator, Policy
from nsmodels.systems.nav.planning.heuristics import greedy, uniform
from nsmodels.systems.nav.training.plain import PlainNetwork, load_plain

CHUNK_CELLS = 2**18
MODEL = "navigator"
FACTS = ("kind", "name", "mark", "path", "size", "density", "detour")
T = TypeVar("T")


@dataclass(frozen=True)
class Problems:
    """Problems on maps of one shape, and what is known of each.

    Attributes:
        maps: n problems.
        facts: kind, name, mark, path (digits of a shortest one, may be empty), size, density, detour of each, (n,).
        optimum: their optimal costs where another source than our labels decides, (n,).
    """

    maps: Maps
    facts: dict[str, NDArray]
    optimum: NDArray[np.float64] | None = None

    @property
    def size(self) -> str:
        """The name under which these problems are counted: as `size_name`, or what `set_apart` made of it."""
        return str(self.facts["size"][0])

    def set_apart(self, word: str) -> Problems:
        """The same problems under a size of another name: 16x16 (word)."""
        return replace(self, facts=self.facts | {"size": np.full(len(self.maps), f"{size_name(self.maps)} ({word})")})

    def parts(self) -> Iterator[Problems]:
        """The problems in lots of about `CHUNK_CELLS` cells."""
        size = max(1, CHUNK_CELLS // (self.maps.shape[0] * self.maps.shape[1]))
        for first in range(0, len(self.maps), size):
            rows = slice(first, first + size)
            facts = {name: column[rows] for name, column in self.facts.items()}
            yield Problems(self.maps[rows], facts, None if self.optimum is None else self.optimum[rows])


def read_problems(data: Path, split: str) -> list[Problems]:
    """The problems of a split, by shape."""
    whole, found = read_split(data, split), []
    for group in whole.groups:
        part = whole.index.iloc[group.rows]
        facts = {name: part[name].to_numpy() for name in FACTS if name != "size"}
        facts["size"] = np.full(len(part), size_name(group.maps))
        found.append(Problems(group.maps, facts))
    return found


def size_name(maps: Maps) -> str:
    """As in 8x8: rows, columns."""
    return f"{maps.shape[0]}x{maps.shape[1]}"


@dataclass
class Judged:
    """Everything measured of n problems.

    Attributes:
        facts: what is known of each problem, (n,).
        tables: by contestant; rows that one does not take are nan. That of the navigator has more columns: `halting`,
            `steps`, `blocked` (free cells without a way to the goal), `recognised` of them, `alarms` (cells with a way
            that are said to have none), `exact` and `unique` (see `exact_path`).
        confidence: that the action is optimal, of every cell with a way to the goal, and whether it is (`is_right`).
        seconds: by contestant and size: maps, wall seconds, CPU seconds.
    """

    facts: dict[str, NDArray]
    tables: dict[str, Table]
    confidence: NDArray[np.float32]
    is_right: NDArray[np.bool_]
    seconds: dict[str, dict[str, NDArray]]

    @property
    def clusters(self) -> NDArray:
        """What succeeds and fails together: problems of one map; of a single map, each problem by itself."""
        marks = np.unique(self.facts["mark"], return_inverse=True)[1]
        return marks if self.num_maps > 1 else np.arange(len(marks))

    @property
    def num_maps(self) -> int:
        """Different maps."""
        return len(np.unique(self.facts["mark"]))

    def outcomes(self, split: str) -> Outcomes:
        """Whether the navigator reaches the goal of each problem; problems on equal maps are told apart by number."""
        maps = zip(self.facts["size"], self.facts["mark"], strict=True)
        items = distinct(f"{split}/{size}/{mark}" for size, mark in maps)
        clusters = self.facts["mark"].tolist() if self.num_maps > 1 else items
        return Outcomes("success", split, items, clusters, self.tables[MODEL]["success"])


@dataclass
class Contest:
    """The navigator of a checkpoint with the plain networks beside it, and the rules.

    `train_cpu_seconds` holds what the training of each network took, by name.
    """

    navigator: Navigator
    plain: dict[str, PlainNetwork] = field(default_factory=dict)
    max_steps: int | None = None
    train_cpu_seconds: dict[str, float] = field(default_factory=dict)

    @classmethod
    def load(cls, checkpoint: Path, device: str = "auto", max_steps: int = 0) -> Contest:
        """All networks of a checkpoint folder; raise `InputError` when it is none."""
        navigator, plain = Navigator.load(checkpoint, device), load_plain(checkpoint, device)
        measured = artifact.read_manifest(checkpoint).metrics
        spent = {name: measured.get(f"{name}/cpu_seconds") for name in (MODEL, *plain)}
        known = {name: float(seconds) for name, seconds in spent.items() if seconds is not None}
        return cls(navigator, plain, max_steps or None, known)

    def objection(self, maps: Maps) -> str:
        """Why the navigator does not take maps of this shape; empty when it does."""
        config = self.navigator.config
        if config.core != "mixer" or maps.shape == (config.height, config.width):
            return ""
        return f"core=mixer knows maps of {config.height}x{config.width} only"

    def judge(self, problems: Sequence[Problems], label: str = "evaluating") -> Judged:
        """Let everybody solve `problems`, at least one; every shape must be one that the navigator takes."""
        parts = [part for each in problems for part in each.parts()]
        shown = counted(parts, len(parts), label, "part", show=len(parts) > 1)
        scored, seconds = [], defaultdict(lambda: defaultdict(lambda: np.zeros(3)))
        warm: set[tuple[int, int]] = set()
        for number, part in enumerate(shown):
            if part.maps.shape not in warm:
                warm.add(part.maps.shape)
                self._warm_up(part.maps[:1])
            scored.append(self._judge(part, np.random.default_rng(number), seconds))
        names = scored[0].tables
        return Judged(
            {name: np.concatenate([part.facts[name] for part in scored]) for name in FACTS},
            {name: joined([part.tables[name] for part in scored]) for name in names},
            np.concatenate([part.confidence for part in scored]),
            np.concatenate([part.is_right for part in scored]),
            {name: dict(sizes) for name, sizes in seconds.items()},
        )

    def _warm_up(self, maps: Maps) -> None:
        """Ask every network once: the first time a shape comes is slower."""
        self.navigator.policy(maps, max_steps=1)
        for network in self.plain.values():
            if network.takes(maps):
                network.policy(maps)

    def _judge(self, problems: Problems, rng: np.random.Generator, seconds: Any) -> Judged:
        maps, labels = problems.maps, label(problems.maps)

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
            if network.takes(maps):
                actions[name] = timed(name, lambda network=network: network.policy(maps).actions)
        tables = {name: score(table, maps, labels, problems.optimum) for name, table in actions.items()}
        blank = {name: np.full(len(maps), np.nan) for name in tables[MODEL]}
        tables |= {name: dict(blank) for name in self.plain if name not in tables}
        is_right, is_asked = right_cells(policy.actions, maps, labels)
        tables[MODEL] |= _beliefs(policy, maps, labels) | exact_path(policy.actions, maps, labels, problems.facts)
        return Judged(problems.facts, tables, policy.confidence[is_asked], is_right[is_asked], {})


def _beliefs(policy: Policy, maps: Maps, labels: Labels) -> dict[str, NDArray]:
    """What the navigator says of its policy and of ways that are not there."""
    has_way, doubts = np.isfinite(labels.cost_to_go), policy.reachable < BELIEVED
    is_blocked = maps.free & ~has_way
    counts = {"blocked": is_blocked, "recognised": is_blocked & doubts, "alarms": (labels.optimal != 0) & doubts}
    columns = {name: cells.sum((1, 2)).astype(float) for name, cells in counts.items()}
    return columns | {"halting": policy.halting.astype(float), "steps": policy.steps.astype(float)}
