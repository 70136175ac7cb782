"""A search for hyper-parameters of a training, begun, resumed or joined: `nsmodels search`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from nsmodels.core import artifact, locks
from nsmodels.core.cli import Parser, add_config_flags, config_from, run
from nsmodels.core.config import add_flags, help, values_from_flags
from nsmodels.core.errors import Busy, InputError, near
from nsmodels.core.orders import Inputs, Order
from nsmodels.core.progress import readable, readable_count, readable_seconds
from nsmodels.engine.commands import verbs
from nsmodels.studies.search.config import SearchConfig
from pipeline.assets import datasets
from pipeline.assets.systems import trainings
from pipeline.lib import store
from pipeline.lib.runs import forecast
from pipeline.lib.training import Training

EPILOG = """examples:
  nsmodels search nav --preset quick                                       # the fields that the system names
  nsmodels search nav --preset latent training.lr=1e-4...1e-1:log model.dim   # a range of your own, a named field
  nsmodels search nav --preset quick model.dim=16,32 training.lr=1e-2,3e-2 --sampler grid --dry-run
  nsmodels search nav --join                                               # one more process, on any machine
The same command resumes a stopped search. nsmodels search TRAINING --help has the flags."""


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and search; returns the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    return run(lambda: _main(words))


def _main(words: list[str]) -> int:
    arguments = parser().parse_intermixed_args(words)
    training = _training(arguments.training)
    datasets.load()
    return _join(training, arguments) if arguments.join else _search(training, arguments)


def _search(training: Training[Any, Any], arguments: argparse.Namespace) -> int:
    presets = training.search.presets
    chosen = training.search.resolve({}).preset
    if arguments.preset is None:
        print(f"preset {chosen}", file=sys.stderr)
    # As in a step: data of a smaller preset are those of tests.
    preset = arguments.preset or chosen if "debug" in presets else None
    config: Any = config_from(arguments, presets, chosen)
    config = config.with_values({"space": [*config.space, *arguments.fields]})
    if arguments.dry_run:
        for line in _planned(training, config, preset):
            print(line, flush=True)
        print("nothing was written")
        return 0
    training.target.check(config)
    folder = store.folder(training.search_key)
    order: Order[Any] = Order(training.search_key, config, _inputs(training, preset), folder, arguments.force)
    try:
        made = artifact.keeping(folder, lambda: training.run_search(order))
    except Busy as error:
        raise Busy(f"{error}; or work for it: nsmodels search {training.name} --join") from None
    print((folder / "table.txt").read_text(encoding="utf-8"))
    verbs.print_manifest(folder, *made)
    print(f"look: {folder}/figures")
    print(f"train with the best: --config {folder}/best.yaml")
    return 0


def _planned(training: Training[Any, Any], config: Any, preset: str | None) -> Iterator[str]:
    """What a search would do: its data, the fields with their values, the number of trainings, and their time."""
    target = training.target.at(config)
    axes = target.axes(config)
    first = target.unchanged(config, axes)
    yield f"{training.search_key}: {target.space.phase} of {training.system.name}, by {target.space.metric}"
    width = max(map(len, axes))
    for name, axis in axes.items():
        yield f"  {name:<{width}}  {axis}  (now {first[name]})"
    num, again = target.num_trials(config, axes), 2 * len(config.confirmation_seeds)
    trials = readable_count(num, "trial")
    yield f"{trials} ({config.sampler}, pruner {config.pruner}), then {again} trainings to confirm the best one"
    missing = {key: line for key in training.model_inputs if (line := forecast.input_line(key, preset))}
    for key in training.model_inputs:
        yield missing.get(key) or _described(key)
    if missing:
        yield f"time not measured: {', '.join(missing)} must be there first"
        return
    inputs = _inputs(training, preset)
    target.check(config)
    from nsmodels.engine.commands import plan  # here: it imports torch

    found = plan.pace(target.system.make_trial(target.space.phase, config.model, inputs))
    each = found.num_steps * found.seconds_per_step
    together = (num + again) * each / config.num_workers
    yield (
        f"about {readable_seconds(each)} for a training as it is, at most about {readable_seconds(together)} in all "
        f"with {readable_count(config.num_workers, 'process', 'es')}, without validation; what is pruned takes less"
    )


def _join(training: Training[Any, Any], arguments: argparse.Namespace) -> int:
    from nsmodels.studies.search import job, worker
    from nsmodels.studies.search.run import Progress

    others = arguments.config, arguments.force, arguments.dry_run
    if arguments.fields or values_from_flags(arguments) or any(others):
        raise InputError("search: --join takes the search as it was begun; leave out fields and other flags")
    place = store.folder(training.search_key)
    folder = job.folder_of(place)
    found = job.Job.read(folder)
    worker.join(folder, Progress(found.target, found.config).look)
    print(f"{training.search_key}: nothing is left to train; the process that began it seals the outcome")
    if (folder / job.FILE).exists() and not locks.is_held(artifact.beside(place, "lock")):
        print(
            "that process does not run on this machine; where it has ended, its command, run again, seals the outcome"
        )
    return 0


def _inputs(training: Training[Any, Any], preset: str | None) -> Inputs:
    """The sealed folders that the training reads, made as by a step with this preset where they are made on demand.

    Raises `InputError` with the command for one that is missing.
    """
    store.require(training.model_inputs)
    for key in training.model_inputs:
        store.prepared(key, preset, lambda line: print(line, file=sys.stderr, flush=True))
    return Inputs({key: store.folder(key) for key in training.model_inputs}, training.model_inputs)


def _described(key: str) -> str:
    """An input that is there."""
    manifest = artifact.read_manifest(store.folder(key), key)
    return f"{key}: {manifest.source}, {readable(manifest.num_bytes)} in {store.folder(key)}"


# --- the command line ------------------------------------------------------------------------------------------------


class _SearchParser(Parser):
    """Its first word is a training; the flags are those of the search of that training."""

    def parse_intermixed_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As `argparse` does."""
        words = list(sys.argv[1:] if args is None else args)
        if not words or words[0].startswith("-"):
            return super().parse_intermixed_args(words, namespace)
        found = _parser(_training(words[0])).parse_intermixed_args(words[1:], namespace)
        found.training = words[0]
        return found


def parser() -> Parser:
    """The parser of this command line."""
    made = _SearchParser(
        prog="nsmodels search",
        description=(__doc__ or "").splitlines()[0],
        epilog=EPILOG,
        formatter_class=help.WithExamples,
    )
    made.add_argument("training", metavar="TRAINING", help=f"one of {', '.join(_known())}")
    _add_how(made)
    made.add_argument(help.HELP_ALL, action="help", help="after TRAINING: the flags of its configuration too")
    made.add_argument("--preset", metavar="NAME", help="named configuration of the training [chosen by the hardware]")
    add_flags(made, SearchConfig)
    return made


def _known() -> dict[str, Training[Any, Any]]:
    return {each.name: each for each in trainings() if each.is_searched}


def _training(name: str) -> Training[Any, Any]:
    known = _known()
    if name.removesuffix("_model") in known:
        return known[name.removesuffix("_model")]
    raise InputError(f"search: no training '{name}'{near(name, known)}; give one of: {', '.join(known)}")


def _parser(training: Training[Any, Any]) -> Parser:
    made = Parser(prog=f"nsmodels search {training.name}")
    _add_how(made)
    add_config_flags(made, training.search.presets, None)
    return made


def _add_how(made: Parser) -> None:
    text = (
        "a field with its values, as training.lr=1e-3,3e-3 or training.lr=1e-4...1e-1:log; alone: those of the system"
    )
    made.add_argument("fields", nargs="*", metavar="FIELD=VALUES", help=text)
    made.add_argument("--dry-run", action="store_true", help="print space, number of trials, time; write nothing")
    made.add_argument("--join", action="store_true", help="work for the search that is under way, and begin none")
    made.add_argument("--force", action="store_true", help="search again though nothing changed")


if __name__ == "__main__":
    sys.exit(main())
