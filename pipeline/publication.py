"""The paper from nothing: trainings over seeds, evaluations, studies and figures that are missing, then the paper.

`make paper`. What is sealed is kept, so that the same command goes on where a run was stopped.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nsmodels.commands import paper
from nsmodels.core.artifact import MANIFEST, data_root
from nsmodels.core.cli import Parser, run
from nsmodels.core.config import PRESET
from nsmodels.core.errors import InputError
from nsmodels.core.progress import readable, readable_seconds
from nsmodels.core.sealed.manifest import manifest_of
from nsmodels.paper.contents import FIGURES, SEEDS, TRAININGS
from nsmodels.paper.results import REPLICATES, evaluations_of
from pipeline.assets.systems import trainings
from pipeline.lib.partitions.keys import NUM_SEEDS
from pipeline.lib.runs import child

STUDIES = {  # by system: many trainings for a report each
    "visual": ("clevr_mini_baselines",),
    "natural": ("gqa_mini_baselines", "vqa_mini_baselines", "visual_ablations", "visual_baselines"),
    "graph": ("graph_ablations",),
    "nav": ("nav_ablations",),
    "world": ("world_ablations",),
}
# CPU-seconds of one seed of `quick`, training and evaluation, on two cores in float32; see LOG.md. What is not here was
# not measured.
REFERENCES = {
    "clevr_mini": 1882.0, "vqa_mini": 502.0, "causal": 132.0, "planning": 63.0, "knowledge": 104.0, "long_chains": 80.0,
    "nav": 65.0, "world": 1080.0,
}  # fmt: skip
GO_ON = "stop: Ctrl-C; the same command goes on with what is missing"


@dataclass(frozen=True)
class Step:
    """Assets that are made by one run.

    Attributes:
        keys: of the assets.
        seeds: partitions that are to do, of replicates; empty for other assets.
        cpu_seconds: expected; None where it was not measured.
        num_bytes: expected on disk; None where it is not known.
    """

    keys: tuple[str, ...]
    seeds: tuple[int, ...] = ()
    cpu_seconds: float | None = None
    num_bytes: int | None = None

    @property
    def command(self) -> list[str]:
        """Arguments of `dagster` that make them; seeds that are sealed and unchanged are kept."""
        words = ["asset", "materialize", "--select", ",".join(self.keys)]
        spans = [f"{self.seeds[0]}...{self.seeds[-1]}"] if len(self.seeds) > 1 else [str(seed) for seed in self.seeds]
        return words + (["--partition-range" if len(self.seeds) > 1 else "--partition", *spans] if spans else [])

    def text(self) -> str:
        """The step in words, with its expected time and disk."""
        seeds = f", seeds {' '.join(map(str, self.seeds))}" if self.seeds else ""
        time = "time not measured" if self.cpu_seconds is None else f"about {readable_seconds(self.cpu_seconds)} of CPU"
        disk = "" if self.num_bytes is None else f", {readable(self.num_bytes)}"
        return f"{', '.join(self.keys)}{seeds}: {time}{disk}"


def main(argv: Sequence[str] | None = None) -> int:
    """Make what is missing, and the paper; returns the exit status of the first step that fails."""
    arguments = parser().parse_args(argv)
    return run(lambda: _main(arguments.out, arguments.seeds, arguments.preset, arguments.families, arguments.dry_run))


def parser() -> Parser:
    """The parser of this command."""
    made = Parser(prog="python -m pipeline.publication", description=(__doc__ or "").splitlines()[0])
    made.add_argument("--out", type=Path, default=Path("paper"), metavar="FOLDER", help="folder of the paper [paper]")
    made.add_argument("--preset", default="quick", metavar="NAME", help="preset of everything that is made [quick]")
    made.add_argument("--seeds", default=SEEDS, metavar="FIRST...LAST", help=f"seeds of every training [{SEEDS}]")
    about = f"systems, separated by commas [{','.join(TRAININGS)}]"
    made.add_argument("--families", default=",".join(TRAININGS), metavar="NAMES", help=about)
    made.add_argument("--dry-run", action="store_true", help="print what would be made, in what time and space")
    return made


def plan(root: Path, seeds: Sequence[int], families: Sequence[str]) -> Iterator[Step]:
    """The steps that are to do, in their order: replicates, then models with their figures, then studies."""
    for family in families:
        for training in TRAININGS[family]:
            if step := _over_seeds(root, training, seeds):
                yield step
    for family in families:
        keys = tuple(key for key in _beside(family) if not (root / key / MANIFEST).is_file())
        if keys:
            yield Step(keys)


def _over_seeds(root: Path, training: str, seeds: Sequence[int]) -> Step | None:
    """The seeds of a training that have no sealed evaluation yet."""
    place = root / f"{training}{REPLICATES}"
    made = evaluations_of(place) if place.is_dir() else {}
    left = tuple(seed for seed in seeds if str(seed) not in made)
    if not left:
        return None
    known = [(manifest_of(path.with_name("model")), manifest_of(path)) for path in made.values()]
    costs = [model.cpu_seconds + scored.cpu_seconds for model, scored in known if model and scored]
    sizes = [model.num_bytes + scored.num_bytes for model, scored in known if model and scored]
    each = max(costs) if costs else REFERENCES.get(training)
    num_bytes = len(left) * max(sizes) if sizes else None
    return Step((place.name,), left, None if each is None else len(left) * each, num_bytes)


def _beside(family: str) -> Iterator[str]:
    """Models, evaluations, studies and figures of a system, in the order in which they are made."""
    for each in (training for training in trainings() if training.name in TRAININGS[family]):
        yield from (part.model_key for part in each.chain)
        yield each.evaluation_key
    yield from (*STUDIES.get(family, ()), *FIGURES[family])


def _main(out: Path, seeds: str, preset: str, families: str, is_dry: bool) -> int:
    root, wanted = data_root(), _families(families)
    steps = list(plan(root, _seeds(seeds), wanted))
    announce(steps, root, preset)
    if is_dry:
        return 0
    for number, step in enumerate(steps, 1):
        print(f"[{number}/{len(steps)}] {step.text()}", file=sys.stderr, flush=True)
        if status := execute(step, preset):
            return status
    return paper.main(["--out", str(out)])


def announce(steps: Sequence[Step], root: Path, preset: str) -> None:
    """Print what will be made, the expected time and disk, and how to go on."""
    free = shutil.disk_usage(next(place for place in (root, *root.parents) if place.exists())).free
    print(f"preset {preset}, data root {root}; {readable(free)} free on its disk")
    for step in steps:
        print(f"  {step.text()}")
    measured = [step.cpu_seconds for step in steps if step.cpu_seconds is not None]
    unknown = len(steps) - len(measured)
    more = f", and {unknown} steps whose time was not measured" if unknown else ""
    print(f"{len(steps)} steps to do: {readable_seconds(sum(measured))} of CPU{more}; {GO_ON}")


def execute(step: Step, preset: str) -> int:
    """Run one step in a process of its own and return its exit status."""
    return child.wait([sys.executable, "-m", "dagster", *step.command], {PRESET: preset})


def _seeds(text: str) -> range:
    first, dots, last = text.partition("...")
    if not dots or not (first.isdecimal() and last.isdecimal() and int(first) <= int(last) < NUM_SEEDS):
        raise InputError(f"--seeds: expected FIRST...LAST from 0 to {NUM_SEEDS - 1}, as in {SEEDS}, got '{text}'")
    return range(int(first), int(last) + 1)


def _families(text: str) -> list[str]:
    names = [name for name in text.split(",") if name]
    unknown = [name for name in names if name not in TRAININGS]
    if unknown or not names:
        raise InputError(f"--families: expected some of {', '.join(TRAININGS)}, got '{text}'")
    return names


if __name__ == "__main__":
    sys.exit(main())
