"""A step of the plan: assets that one run makes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nsmodels.core.progress import readable, readable_seconds
from nsmodels.paper.contents import ABLATIONS


@dataclass(frozen=True)
class Step:
    """Assets that are made by one run.

    Attributes:
        keys: of the assets.
        seeds: partitions that are to do, of replicates; empty for other assets.
        cpu_seconds: expected of all but `unmeasured`; figures, which take seconds, are not counted.
        num_bytes: expected on disk; None where it is not known.
        unmeasured: trainings and studies among `keys` of which no time is known.
        after: names of the steps that have to end first.
        given: configuration of those among `keys` that have one of their own: the seed of a model that is a copy of
            that replicate, the source of data.
    """

    keys: tuple[str, ...]
    seeds: tuple[int, ...] = ()
    cpu_seconds: float = 0.0
    num_bytes: int | None = None
    unmeasured: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    given: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The first of its keys."""
        return self.keys[0]

    @property
    def command(self) -> list[str]:
        """Arguments of `dagster` that make them; seeds that are sealed and unchanged are kept."""
        return self.arguments(1)

    def arguments(self, num_workers: int) -> list[str]:
        """Arguments of `dagster`, with so many processes for each study of variants."""
        words = ["asset", "materialize", "--select", ",".join(self.keys)]
        spans = [f"{self.seeds[0]}...{self.seeds[-1]}"] if len(self.seeds) > 1 else [str(seed) for seed in self.seeds]
        words += ["--partition-range" if len(self.seeds) > 1 else "--partition", *spans] if spans else []
        given: dict[str, Any] = {key: {"config": config} for key, config in self.given.items()}
        if num_workers > 1:
            given |= {key: {"config": {"num_workers": num_workers}} for key in self.keys if key in ABLATIONS}
        return words + (["--config-json", json.dumps({"ops": given})] if given else [])

    def text(self) -> str:
        """The step in words, with its expected time and disk."""
        seeds = f", seeds {' '.join(map(str, self.seeds))}" if self.seeds else ""
        unmeasured = "" if self.unmeasured == self.keys else f"{', '.join(self.unmeasured)} "
        times = [f"about {readable_seconds(self.cpu_seconds)} of CPU"] if self.cpu_seconds >= 1 else []
        times += [f"{unmeasured}not measured"] if self.unmeasured else []
        disk = "" if self.num_bytes is None else f", {readable(self.num_bytes)}"
        return f"{', '.join(self.keys)}{seeds}: {' and '.join(times) or 'seconds'}{disk}"
