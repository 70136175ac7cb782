"""Make what the paper lacks: trainings over seeds, evaluations, studies and figures; then the paper.

What is sealed is kept, so that the same command goes on where a run was stopped; only what the preset for tests has
made is made again where a different preset is asked for.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from nsmodels.commands import paper
from nsmodels.core import interrupts
from nsmodels.core.artifact import data_root
from nsmodels.core.cli import Parser, run
from nsmodels.core.errors import InputError
from nsmodels.core.progress import readable, readable_seconds
from nsmodels.engine.processes import lifeline
from nsmodels.paper.contents import SEEDS, TRAININGS
from pipeline.lib.partitions.keys import NUM_SEEDS
from pipeline.publication import costs, data, execution, sealed
from pipeline.publication.contents import trainings_of
from pipeline.publication.costs import QUICK
from pipeline.publication.plan import plan
from pipeline.publication.step import Step

GO_ON = "stop: Ctrl-C; the same command goes on with what is missing"


def main(argv: Sequence[str] | None = None) -> int:
    """Make what is missing, and the paper of what there is then; returns the status of the first step that fails."""
    arguments = parser().parse_args(argv)
    what = arguments.out, arguments.seeds, arguments.preset, arguments.families, arguments.jobs, arguments.dry_run
    return run(lambda: _main(*what))


def parser() -> Parser:
    """The parser of this command."""
    made = Parser(prog="python -m pipeline.publication", description=(__doc__ or "").splitlines()[0])
    made.add_argument("--out", type=Path, default=Path("paper"), metavar="FOLDER", help="folder of the paper [paper]")
    made.add_argument("--preset", default=QUICK, metavar="NAME", help="preset of everything that is made [quick]")
    made.add_argument("--seeds", default=SEEDS, metavar="FIRST...LAST", help=f"seeds of every training [{SEEDS}]")
    about = f"systems, separated by commas [{','.join(TRAININGS)}]"
    made.add_argument("--families", default=",".join(TRAININGS), metavar="NAMES", help=about)
    about = "steps at the same time, on a share of the cores each; 0: as many as fit, one beside a GPU [0]"
    made.add_argument("--jobs", default="0", metavar="N", help=about)
    made.add_argument("--dry-run", action="store_true", help="print what would be made, in what time and on what disk")
    return made


def _main(out: Path, seeds: str, preset: str, families: str, jobs: str, is_dry: bool) -> int:
    root, wanted = data_root(), _families(families)
    _require_preset(preset, wanted)
    steps = list(plan(root, _seeds(seeds), wanted, preset))
    names = {step.name for step in steps}
    num = execution.num_jobs(jobs, sum(not names & {*step.after} for step in steps))
    others = [*sealed.kept_with_others(root, _seeds(seeds), wanted, preset), *sealed.made_again(root, steps)]
    first = costs.of_data(data.to_make(root, wanted, preset), preset)
    needed = costs.total([first, *(step.num_bytes for step in steps)])
    announce(steps, root, preset, [*others, *data.mixed(root, wanted, preset)], num, needed)
    if is_dry:
        return 0
    ended = execution.execute(steps, preset, num)
    stopped = [status for status in ended.values() if status in interrupts.STATUSES]
    if stopped or len(ended) < len(steps):
        return stopped[0] if stopped else interrupts.report()  # a signal came between two steps
    failed = {step.text(): ended[step.name] for step in steps if ended[step.name]}
    for text in failed:
        print(f"failed: {text}", file=sys.stderr)
    status = paper.main(["--out", str(out)])
    return next(iter(failed.values()), status)


def announce(
    steps: Sequence[Step], root: Path, preset: str, others: Sequence[str], num: int, needed: int | None
) -> None:
    """Print what will be made, `num` at the same time, the expected time and disk, what stays, and how to go on."""
    print(f"preset {preset}, data root {root}; {_space(root, needed)}")
    for step in steps:
        print(f"  {step.text()}")
    for line in others:
        print(f"  {line}")
    unknown = [key for step in steps for key in step.unmeasured]
    seconds = sum(step.cpu_seconds for step in steps)
    known = [f"{readable_seconds(seconds)} of CPU"] if seconds or not unknown else []
    known += [f"what was not measured: {', '.join(unknown)}"] if unknown else []
    at_once = f", {num} at the same time" if num > 1 else ""
    print(f"{len(steps)} steps to do{at_once}: {', and '.join(known)}; {GO_ON}")


def _space(root: Path, needed: int | None) -> str:
    """The free disk, and the bytes that data and steps take as far as it is known."""
    free = shutil.disk_usage(next(place for place in (root, *root.parents) if place.exists())).free
    if needed is None:
        return f"{readable(free)} free on its disk"
    few = "" if needed <= free else "; TOO LITTLE: a step that finds the disk full stops"
    return f"{readable(free)} free on its disk, at least {readable(needed)} needed{few}"


def _seeds(text: str) -> range:
    first, dots, last = text.partition("...")
    if not dots or not (first.isdecimal() and last.isdecimal() and int(first) <= int(last) < NUM_SEEDS):
        raise InputError(f"--seeds: expected FIRST...LAST from 0 to {NUM_SEEDS - 1}, as in {SEEDS}, got '{text}'")
    return range(int(first), int(last) + 1)


def _require_preset(name: str, families: Sequence[str]) -> None:
    """Raise `InputError` for a preset that a training does not have: it would be trained with its default."""
    presets = [list(each.model.presets) for each in trainings_of(families)]
    common = [each for each in presets[0] if all(each in others for others in presets)]
    if name not in common:
        raise InputError(f"--preset: expected one of {', '.join(common)}, got '{name}'")


def _families(text: str) -> list[str]:
    names = [name for name in text.split(",") if name]
    unknown = [name for name in names if name not in TRAININGS]
    if unknown or not names:
        raise InputError(f"--families: expected some of {', '.join(TRAININGS)}, got '{text}'")
    return [name for name in TRAININGS if name in names]


if __name__ == "__main__":
    lifeline.end_with_named_parent()
    sys.exit(main())
