"""Problems read from the files of other people, and the report of what was left out."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nsmodels.datasets.mazes.files.scenarios import UNREACHABLE
from nsmodels.datasets.mazes.grids import Maps

MOST_LISTED = 100  # faults and files named in the manifest
MOST_NAMED = 5  # in a line of the log
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reading:
    """Problems read from one file, n of one shape.

    Attributes:
        kind: format of the file.
        name: name of the file.
        maps: n problems.
        mark: (n,), canonical hash of each map.
        listed: float64 (n,), optimal costs listed in the file, nan where none is comparable.
        tolerance: float64 (n,), by which the listed cost may differ from the exact one.
        answer: (n,), paths in the file as digits of actions, empty where it has none.
        split: split that the file belongs to, empty when it decides none.
        is_one_map: whether all problems of the file are on one map, also those of other readings of the file.
    """

    kind: str
    name: str
    maps: Maps
    mark: NDArray[np.object_]
    listed: NDArray[np.float64]
    tolerance: NDArray[np.float64]
    answer: NDArray[np.object_]
    split: str = ""
    is_one_map: bool = False

    def __len__(self) -> int:
        return len(self.mark)

    def __getitem__(self, rows: NDArray) -> Reading:
        columns = {name: getattr(self, name)[rows] for name in ("maps", "mark", "listed", "tolerance", "answer")}
        return replace(self, **columns)


@dataclass
class Report:
    """What was left out of the data.

    Attributes:
        faults: of the problems left out, by reason.
        unused: files left out, by name with the reason.
        drawn: maps without a scenario, on which problems are drawn.
        num_foreign: problems that are used although their scenario names a different map.
        notes: what else is worth a line.
    """

    faults: dict[str, list[str]] = field(default_factory=dict)
    unused: dict[str, str] = field(default_factory=dict)
    drawn: list[str] = field(default_factory=list)
    num_foreign: int = 0
    notes: list[str] = field(default_factory=list)

    def skip(self, reason: str, faults: Iterable[str]) -> None:
        """Record problems that are left out."""
        self.faults.setdefault(reason, []).extend(faults)

    def counts(self) -> dict[str, int]:
        """Number of problems left out by reason."""
        return {reason: len(faults) for reason, faults in sorted(self.faults.items()) if faults}

    def metrics(self) -> dict[str, Any]:
        """For the manifest; the lists have at most `MOST_LISTED` entries."""
        listed = [fault for faults in self.faults.values() for fault in faults]
        return {
            "num_unsolvable": len(self.faults.get(UNREACHABLE, [])),
            "num_skipped": self.counts(),
            "skipped": listed[:MOST_LISTED],
            "num_unused_files": len(self.unused),
            "unused_files": [f"{name}: {why}" for name, why in self.unused.items()][:MOST_LISTED],
            "num_maps_without_scenario": len(self.drawn),
            "num_naming_another_map": self.num_foreign,
        }

    def write_log(self, where: str) -> None:
        """Log what was left out, a line for each kind."""
        for reason, faults in self.faults.items():
            if faults:
                log.warning("%s: %d problems left out: %s; the first: %s", where, len(faults), reason, faults[0])
        if self.unused:
            named = _some([f"{name} ({why})" for name, why in self.unused.items()])
            log.warning("%s: %d files not used: %s", where, len(self.unused), named)
        if self.drawn:
            log.info(
                "%s: on %d maps without a scenario problems are drawn: %s", where, len(self.drawn), _some(self.drawn)
            )
        if self.num_foreign:
            log.warning("%s: %d problems are in a .scen that names a different map", where, self.num_foreign)
        for note in self.notes:
            log.warning("%s: %s", where, note)

    def first_fault(self) -> str:
        """The first problem or file that was left out, in words."""
        faults = [fault for faults in self.faults.values() for fault in faults]
        return next(iter([*faults, *(f"{name}: {why}" for name, why in self.unused.items())]), "")


def _some(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"{', '.join(names[:MOST_NAMED])}{more}"
