"""The paper from nothing: trainings over seeds, evaluations, studies and figures that are missing, then the paper.

`make paper`. What is sealed is kept, so that the same command goes on where a run was stopped; only what the preset for
tests has made is made again where a different preset is asked for.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from nsmodels.commands import paper
from nsmodels.core import discover, hardware, interrupts
from nsmodels.core.artifact import Manifest, data_root
from nsmodels.core.cli import Parser, run
from nsmodels.core.config import PRESET, Config
from nsmodels.core.errors import InputError
from nsmodels.core.progress import readable, readable_seconds
from nsmodels.core.sealed.manifest import manifest_of
from nsmodels.engine import machine
from nsmodels.engine.processes import lifeline
from nsmodels.evaluation import sources
from nsmodels.paper import recipes
from nsmodels.paper.contents import ABLATIONS, FIGURES, SEEDS, TRAININGS
from nsmodels.paper.results import REPLICATES, evaluations_of
from nsmodels.studies import figure
from nsmodels.studies.report import CSV
from pipeline.assets import comparison, datasets
from pipeline.assets.systems import trainings
from pipeline.lib import store
from pipeline.lib.partitions.keys import NUM_SEEDS
from pipeline.lib.runs import child
from pipeline.lib.runs.child import Job
from pipeline.lib.training import Training

STUDIES = {  # by system: many trainings for a report each
    "visual": ("clevr_mini_baselines",),
    "natural": ("gqa_mini_baselines", "vqa_mini_baselines", "visual_ablations", "visual_baselines"),
    "graph": ("graph_ablations",),
    "nav": ("nav_ablations",),
    "world": ("world_ablations",),
}
# CPU-seconds of one seed of `quick`, training and evaluation, on two cores in float32, the most of two machines, and of
# whole studies; LOG.md has them. What is not here was not measured.
REFERENCES = {
    "clevr_mini": 1882.0, "gqa_mini": 1017.0, "vqa_mini": 502.0, "causal": 318.0, "planning": 180.0, "knowledge": 240.0,
    "long_chains": 330.0, "nav": 65.0, "world": 1080.0, "nav_ablations": 186.0, "clevr_mini_baselines": 329.0,
    "gqa_mini_baselines": 338.0, "vqa_mini_baselines": 328.0, "visual_baselines": 2.0,
    "graph_ablations": 4150.0, "visual_ablations": 2777.0, "world_ablations": 11327.0,
}  # fmt: skip
QUICK, DEBUG, AUTO = "quick", "debug", "auto"
COMPOSED = 80.0  # CPU-seconds of a subset of synthetic images
AFTER = {"natural": ("visual",)}  # whose figures show what the other one makes, by system
SHOWN = {  # figures that need nothing but one study
    "visual_ablations": ("ablation_study",), "graph_ablations": ("graph_ablation_study",),
    "nav_ablations": ("nav_ablation_study",), "world_ablations": ("world_ablation_study",),
}  # fmt: skip
GATHERED = comparison.visual_baselines.key.to_user_string()  # takes all seeds of its models that there are
COPYING = {"world_ablations": "world"}  # studies whose full models are copies of the replicates of a training
MOST, MEMORY = 4, 6e9  # steps at the same time where nothing is given, and bytes for each process
MOST_WORKERS = 8  # processes of a study: more than find something to do at its begin gain little
GO_ON = "stop: Ctrl-C; the same command goes on with what is missing"


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
    made.add_argument("--dry-run", action="store_true", help="print what would be made, and in what time")
    return made


def plan(root: Path, seeds: Sequence[int], families: Sequence[str], preset: str = QUICK) -> Iterator[Step]:
    """The steps that are to do: data, replicates, then of each system its ablations, and models, baselines, figures.

    Raises `InputError` where sealed seeds of a training are of a different preset than those that are left would be.
    """
    datasets.load()
    data = list(_synthetic(root, families, preset))
    yield from data
    due = {key for step in data for key in step.keys} | _too_small(root, families, preset)
    before: dict[str, list[str]] = {family: [] for family in families}
    for family in families:
        for training in TRAININGS[family]:
            if step := _over_seeds(root, training, seeds, preset, due):
                before[family].append(step.name)
                yield replace(step, after=tuple(each.name for each in data if each.name in _of(training).all_datasets))
    due |= {name for names in before.values() for name in names}
    for family in families:
        left = _left(root, family, preset, due)
        due |= {*left}
        given = [step.name for step in data if family == "natural"]
        alone = {key: [key, *(each for each in SHOWN[key] if each in left)] for key in left if key in ABLATIONS}
        for key, keys in alone.items():  # they need nothing but data
            after = [name for name in (f"{COPYING.get(key)}{REPLICATES}",) if name in before[family]]
            yield replace(_of_keys(tuple(keys), preset, {}), after=(*after, *given))
        if rest := tuple(key for key in left if not any(key in keys for keys in alone.values())):
            after = [name for each in (family, *AFTER.get(family, ())) for name in before.get(each, ())]
            step = replace(_beside_seeds(root, family, rest, seeds, preset), after=(*after, *given))
            before[family].append(step.name)
            yield step


def _of(training: str) -> Training[Any, Any]:
    return next(each for each in trainings() if each.name == training)


def _data_of(families: Sequence[str]) -> list[str]:
    """Keys of the data that a step makes where they miss."""
    keys = [key for family in families for name in TRAININGS[family] for key in _of(name).all_datasets]
    return [key for key in dict.fromkeys(keys) if store.is_made_on_demand(key)]


def _too_small(root: Path, families: Sequence[str], preset: str) -> set[str]:
    """Data that the first step that uses them makes again, as they are those of a smaller preset."""
    found = {key: manifest_of(root / key) for key in _data_of(families)}
    return {key for key, manifest in found.items() if manifest and store.maker(key).is_too_small(manifest, preset)}


def _synthetic(root: Path, families: Sequence[str], preset: str) -> Iterator[Step]:
    """Steps for data that miss and would be downloaded where their host answers, beside others that are synthetic.

    They are made synthetic as well: figures refuse mixed sources, and what was not asked for is not downloaded.
    """
    for key, source in _sources(root, families, preset).items():
        config = store.maker(key).config_for(preset)
        if source == sources.SYNTHETIC and not manifest_of(root / key) and config.source == AUTO:
            given = {key: {"preset": _name_of(key, config), "source": source}}
            yield Step((key,), cpu_seconds=COMPOSED, given=given)


def _sources(root: Path, families: Sequence[str], preset: str) -> dict[str, str]:
    """Where the data of images that there are or will be come from, by key."""
    wanted = {*_data_of(families)}
    there = {key: manifest.source for key in comparison.DATASETS if (manifest := manifest_of(root / key))}
    missing = [key for key in comparison.DATASETS if key in wanted and key not in there]
    found = {**there, **{key: store.maker(key).config_for(preset).source for key in missing}}
    kinds = {sources.kind_of(source) for source in found.values()}
    usual = sources.SYNTHETIC if sources.SYNTHETIC in kinds else AUTO
    return {key: usual if source == AUTO else source for key, source in found.items()}


def mixed(root: Path, families: Sequence[str], preset: str) -> Iterator[str]:
    """A line where the figure that compares data of images will be refused, as they are of both kinds."""
    if "natural" in families:
        try:
            sources.require_one_kind(_sources(root, families, preset), GATHERED, "make all of them from one kind")
        except InputError as error:
            yield str(error)


def _name_of(key: str, config: Config) -> str:
    """Name of the preset of a subset that is this configuration."""
    presets = discover.module("datasets", key.removesuffix("_mini"), "config").PRESETS
    return next(name for name, preset in presets.items() if preset() == config)


def _over_seeds(root: Path, training: str, seeds: Sequence[int], preset: str, due: Collection[str] = ()) -> Step | None:
    """The seeds of a training that have no sealed evaluation yet, or none of today's data.

    With them those that were made by other code, as they could not be taken together. `due`: what is made before.
    """
    place, made = root / f"{training}{REPLICATES}", _kept_seeds(root, training, preset, due)
    left = tuple(seed for seed in seeds if str(seed) not in made)
    if not left and len({_code_of(path) for path in made.values()}) < 2:
        return None
    for seed, path in made.items():
        if left and (other := _other_preset(path.with_name("model"), preset)):
            raise InputError(
                f"{place.name}/{seed}: sealed with the preset {other}, and seed {left[0]} with {preset} cannot be "
                "taken together with it; give the same --preset, or a data root of its own (NSMODELS_DATA)"
            )
    each, num_bytes = _cost_of_seed(made, training, preset)
    made = {seed: path for seed, path in made.items() if _is_of_today(_of(training), path)}
    if not (left := tuple(seed for seed in seeds if str(seed) not in made)):
        return None
    unmeasured = () if each is not None else (place.name,)
    return Step((place.name,), left, len(left) * (each or 0.0), num_bytes and len(left) * num_bytes, unmeasured)


def _is_of_today(training: Training[Any, Any], evaluation: Path) -> bool:
    """Whether the code of today would make a seed and its score as they are."""
    system, model = training.system, manifest_of(evaluation.with_name("model"))
    is_other = not model or model.maker != system.package
    return is_other or _code_of(evaluation) == (system.code_version, system.evaluation_version)


def _code_of(evaluation: Path) -> tuple[str, ...]:
    """Versions of the code of a seed and of its score."""
    found = manifest_of(evaluation.with_name("model")), manifest_of(evaluation)
    return tuple(each.code_version for each in found if each)


def _kept_seeds(root: Path, training: str, preset: str, due: Collection[str] = ()) -> dict[str, Path]:
    """The sealed evaluations of a training that stay, by seed: of the data that are or will be there."""
    found = evaluations_of(root / f"{training}{REPLICATES}")
    models = {seed: manifest_of(path.with_name("model")) for seed, path in found.items()}
    changed = {seed for seed, model in models.items() if model and _is_outdated(root, model, due)}
    return {
        seed: path for seed, path in found.items() if seed not in changed and _is_kept(path.with_name("model"), preset)
    }


def _cost_of_seed(made: Mapping[str, Path], training: str, preset: str) -> tuple[float | None, int | None]:
    """CPU-seconds and bytes of one seed: the most of those that are made, else the reference."""
    found = [(manifest_of(path.with_name("model")), manifest_of(path)) for path in made.values()]
    known = [(model, scored) for model, scored in found if model and scored]
    if not known:
        return REFERENCES.get(training) if preset == QUICK else None, None
    seconds, sizes = zip(*((a.cpu_seconds + b.cpu_seconds, a.num_bytes + b.num_bytes) for a, b in known), strict=True)
    return max(seconds), max(sizes)


def _beside_seeds(root: Path, family: str, keys: tuple[str, ...], seeds: Sequence[int], preset: str) -> Step:
    """The step that makes the models, baselines and figures of a system that are left.

    A model has the first seed, and is then a copy of that replicate, which costs nothing, unless the one that is there
    is of a different preset.
    """
    given: dict[str, dict[str, Any]] = {}
    costs: dict[str, float | None] = {}
    for each in [training for training in trainings() if training.name in TRAININGS[family] and seeds]:
        own = [part.model_key for part in each.chain if part.model_key in keys]
        given |= {key: {"training": {"seed": seeds[0]}} for key in own}
        there = _kept_seeds(root, each.name, preset).get(str(seeds[0]))
        if own and there and _other_preset(there.with_name("model"), preset):
            costs[own[-1]] = REFERENCES.get(each.name) if preset == QUICK else None
    return replace(_of_keys(keys, preset, costs), given=given)


def _of_keys(keys: tuple[str, ...], preset: str, costs: Mapping[str, float | None]) -> Step:
    """The step that makes these, with the `costs` of models and those of the studies among them."""
    studies = [key for several in STUDIES.values() for key in several if key in keys]
    known = {**costs, **{key: REFERENCES.get(key) if preset == QUICK else None for key in studies}}
    unmeasured = tuple(key for key, cost in known.items() if cost is None)
    return Step(keys, cpu_seconds=sum(cost or 0.0 for cost in known.values()), unmeasured=unmeasured)


def _left(root: Path, family: str, preset: str, due: Collection[str]) -> tuple[str, ...]:
    """Models, evaluations, studies and figures that are not sealed, or not of what is or will be there.

    `due`: names of the steps before them, replicates among them.
    """
    left: dict[str, None] = {}
    for key in _beside(family):
        manifest = manifest_of(root / key)
        if not manifest or not _is_kept(root / key, preset) or _is_outdated(root, manifest, {*left, *due}):
            left[key] = None
    return tuple(left)


def _is_outdated(root: Path, manifest: Manifest, left: Container[str]) -> bool:
    """Whether an input of an artifact is to be made, or was made from something else since."""
    joined = (*comparison.REPLICATED, *comparison.STUDIES, *comparison.EVALUATIONS)
    if manifest.key == GATHERED and (any(key in left for key in joined) or not comparison.is_current(manifest)):
        return True
    there = {key: manifest_of(root / key) for key in manifest.inputs}
    marks = {key: found.fingerprint for key, found in there.items() if found}
    return any(key in left or marks.get(key, r.fingerprint) != r.fingerprint for key, r in manifest.inputs.items())


def _is_kept(folder: Path, preset: str) -> bool:
    """Whether what is sealed in a folder stays.

    That of the preset for tests does not, where it is not asked for, nor a study that has not the form of today.
    """
    manifest = manifest_of(folder)
    is_wanted = manifest is not None and (preset == DEBUG or not recipes.has_preset(manifest, DEBUG))
    return is_wanted and _is_sound(folder)


def _is_sound(folder: Path) -> bool:
    """Whether a study of variants is one that its figure takes; true of everything else."""
    if not (folder / CSV).is_file():
        return True
    try:
        figure.require_sound(*figure.read(folder), folder.name)
    except InputError:
        return False
    return True


def _other_preset(folder: Path, preset: str) -> str:
    """The preset of a sealed model or study where it is not `preset`; else empty."""
    manifest = manifest_of(folder)
    is_other = manifest and recipes.is_trained(manifest) and not recipes.has_preset(manifest, preset)
    return recipes.preset_of(manifest).label if manifest and is_other else ""


def kept_with_others(root: Path, seeds: Sequence[int], families: Sequence[str], preset: str) -> Iterator[str]:
    """A line for each sealed model and study that stays though its preset is a different one."""
    for family in families:
        seeded = [f"{name}{REPLICATES}/{seed}/model" for name in TRAININGS[family] for seed in seeds]
        for key in (*seeded, *_beside(family)):
            if _is_kept(root / key, preset) and (other := _other_preset(root / key, preset)):
                yield f"{key}: kept as it is, of the preset {other}"


def made_again(root: Path, steps: Sequence[Step]) -> Iterator[str]:
    """A line for replicates whose sealed seeds cannot stay beside those that are left."""
    for step in steps:
        there = evaluations_of(root / step.name) if step.seeds else {}
        if again := [str(seed) for seed in step.seeds if str(seed) in there]:
            yield f"{step.name}: sealed before and made again, as data, code or preset differ: {' '.join(again)}"


def _beside(family: str) -> Iterator[str]:
    """Models, evaluations, studies and figures of a system, in the order in which they are made."""
    for each in (training for training in trainings() if training.name in TRAININGS[family]):
        yield from (part.model_key for part in each.chain)
        yield each.evaluation_key
    yield from (*STUDIES.get(family, ()), *FIGURES[family])


def _main(out: Path, seeds: str, preset: str, families: str, jobs: str, is_dry: bool) -> int:
    root, wanted = data_root(), _families(families)
    _require_preset(preset, wanted)
    steps = list(plan(root, _seeds(seeds), wanted, preset))
    names = {step.name for step in steps}
    num = _num_jobs(jobs, sum(not names & {*step.after} for step in steps))
    others = [*kept_with_others(root, _seeds(seeds), wanted, preset), *made_again(root, steps)]
    announce(steps, root, preset, [*others, *mixed(root, wanted, preset)], num)
    if is_dry:
        return 0
    ended = execute(steps, preset, num)
    stopped = [status for status in ended.values() if status in interrupts.STATUSES]
    if stopped or len(ended) < len(steps):
        return stopped[0] if stopped else interrupts.report()  # a signal came between two steps
    failed = {step.text(): ended[step.name] for step in steps if ended[step.name]}
    for text in failed:
        print(f"failed: {text}", file=sys.stderr)
    status = paper.main(["--out", str(out)])
    return next(iter(failed.values()), status)


def announce(steps: Sequence[Step], root: Path, preset: str, others: Sequence[str] = (), num: int = 1) -> None:
    """Print what will be made, `num` at the same time, the expected time and disk, what stays, and how to go on."""
    free = shutil.disk_usage(next(place for place in (root, *root.parents) if place.exists())).free
    print(f"preset {preset}, data root {root}; {readable(free)} free on its disk")
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


def execute(steps: Sequence[Step], preset: str, num: int) -> dict[str, int]:
    """Run steps, at most `num` at the same time, each in a process of its own; returns their exit statuses by name.

    Those of the longest system begin first, so that it does not keep all others waiting at the end.
    """
    texts = {step.name: f"[{number}/{len(steps)}] {step.text()}" for number, step in enumerate(steps, 1)}
    python = [sys.executable, "-m", "dagster"]
    threads = _num_threads(num)
    workers = 1 if machine.has_driver() else max(1, min(threads, _num_fitting() // num, MOST_WORKERS))
    jobs = [Job(step.name, [*python, *step.arguments(workers)], step.after) for step in _longest_first(steps, num)]
    variables = {PRESET: preset} | ({hardware.THREADS: str(threads)} if num > 1 else {})
    return child.wait_all(jobs, num, variables, lambda job: print(texts[job.name], file=sys.stderr, flush=True))


def _longest_first(steps: Sequence[Step], num: int) -> list[Step]:
    """Steps by what is to do from their begin to the end of what follows them; one at a time in their order."""
    return sorted(steps, key=lambda step: _length(step, steps), reverse=True) if num > 1 else list(steps)


def _length(step: Step, steps: Sequence[Step]) -> tuple[int, float]:
    """What of a step and the longest that follows it has no known time, and CPU-seconds of the rest."""
    following = max((_length(other, steps) for other in steps if step.name in other.after), default=(0, 0.0))
    return following[0] + len(step.unmeasured), following[1] + step.cpu_seconds


def _num_threads(num: int) -> int:
    """A share of the cores for each step, or what a person has chosen where that is less."""
    return min(max(1, hardware.num_cores() // num), hardware.num_threads())


def _num_jobs(text: str, num_first: int) -> int:
    """Steps at the same time: as given, or as many as cores and memory let through, one where there is a GPU.

    By itself no more than the `num_first` that can begin at once.
    """
    if not text.isdecimal():
        raise InputError(f"--jobs: expected a whole number from 0 on, got '{text}'")
    return int(text) or max(1, 1 if machine.has_driver() else min(MOST, _num_fitting(), num_first))


def _num_fitting() -> int:
    """Processes that cores and memory let through."""
    return min(hardware.num_cores(), int(hardware.available_memory() / MEMORY))


def _seeds(text: str) -> range:
    first, dots, last = text.partition("...")
    if not dots or not (first.isdecimal() and last.isdecimal() and int(first) <= int(last) < NUM_SEEDS):
        raise InputError(f"--seeds: expected FIRST...LAST from 0 to {NUM_SEEDS - 1}, as in {SEEDS}, got '{text}'")
    return range(int(first), int(last) + 1)


def _require_preset(name: str, families: Sequence[str]) -> None:
    """Raise `InputError` for a preset that a training does not have: it would be trained with its default."""
    wanted = {training for family in families for training in TRAININGS[family]}
    presets = [list(each.model.presets) for each in trainings() if each.name in wanted]
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
