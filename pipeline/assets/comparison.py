"""Baselines and models on all datasets of images side by side, and the figure of the paper."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import dagster as dg

from nsmodels.core.artifact import MANIFEST, Manifest
from nsmodels.core.config import Config
from nsmodels.evaluation import replication
from nsmodels.evaluation.comparison import joining
from nsmodels.evaluation.comparison.replicates import Replicates, replicates_of
from nsmodels.evaluation.replication import EVALUATION, REPLICATES
from pipeline.lib import figure, policy, reuse, step, store
from pipeline.lib.display import results
from pipeline.lib.launchpad import Launchpad

DATASETS = ("gqa_mini", "vqa_mini", "clevr_mini")
STUDIES = tuple(f"{name}_baselines" for name in DATASETS)
EVALUATIONS = tuple(f"{name}_evaluation" for name in DATASETS)
REPLICATED = tuple(f"{name}{REPLICATES}" for name in DATASETS)
REPORT = Launchpad({"default": Config}, default="default")


@dg.asset(
    **policy.report(),
    deps=[*STUDIES, *EVALUATIONS, *REPLICATED],
    code_version=REPORT.version(joining.CODE_VERSION),
    config_schema=REPORT.schema,
)
def visual_baselines(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Chance, priors, baselines and the model over seeds, its levels, annotators: of the datasets whose study there is.

    Published results stand apart. A model without evaluation, a seed that was made otherwise, or a dataset without
    study is left out and named.
    """
    with step.one_line_errors():
        studies, evaluations, left_out = there = gathered()

        def build(folder: Path, is_forced: bool) -> Manifest:
            return joining.make_comparison(folder, studies, evaluations, folder.name, is_forced, left_out)

        made = reuse.make(context, there.recipe, REPORT.choose(context).force, build)
        shown = {"missing": ", ".join(key for key in STUDIES if key not in studies) or "none"}
        lines = [f"{key}: {name}: {why}" for key, those in left_out.items() for name, why in those.items()]
        for line in lines:
            context.log.warning(f"left out: {line}")
        shown |= {"left_out": "; ".join(lines) or "none", **results.pages(store.folder(context.asset_key))}
        return results.result(made.manifest, **shown, is_reused=made.is_reused, reason=made.reason)


class Gathered(NamedTuple):
    """What a comparison is made from, by asset key, and by study what of a model it leaves out, with the reason."""

    studies: dict[str, Path]
    evaluations: dict[str, Path]
    left_out: dict[str, Mapping[str, str]]

    @property
    def recipe(self) -> reuse.Recipe:
        """All that decides its content."""
        config = joining.config_of(self.studies, self.evaluations, self.left_out)
        return reuse.Recipe(config, joining.CODE_VERSION, {**self.studies, **self.evaluations})


def gathered() -> Gathered:
    """The sealed studies, and the evaluations of the model of each."""
    studies = present(STUDIES)
    replicates = {key: replicates_of_model(key.removesuffix("_baselines"), path) for key, path in studies.items()}
    evaluations = {key: path for each in replicates.values() for key, path in each.alike.items()}
    return Gathered(studies, evaluations, {key: each.left_out for key, each in replicates.items()})


def is_current(manifest: Manifest) -> bool:
    """Whether a sealed comparison has all that there is: seeds may have been added since, or made again."""
    return not reuse.changes(manifest, gathered().recipe)


def replicates_of_model(name: str, study: Path) -> Replicates:
    """The sealed evaluations of a model: its own, and those of its replicates that differ in nothing but the seed."""
    place = store.folder(f"{name}{REPLICATES}")
    others = replication.evaluations_of(place).items()
    keyed = {f"{place.name}/{seed}/{EVALUATION}": path for seed, path in others}
    return replicates_of(study, present([f"{name}_evaluation"]), keyed)


def present(keys: Iterable[str]) -> dict[str, Path]:
    """The sealed folders among `keys`."""
    folders = {key: store.folder(key) for key in keys}
    return {key: folder for key, folder in folders.items() if (folder / MANIFEST).is_file()}


performance_comparison = figure.asset(
    "performance_comparison",
    "visual_baselines",
    "nsmodels.evaluation.comparison.joining",
    joining.CODE_VERSION,
    "Baselines and the model on the same questions, with intervals over seeds and by image; refuses mixed sources, "
    "unequal splits and too few seeds.",
)
