"""Baselines and models on all datasets of images side by side, and the figure of the paper."""

from collections.abc import Iterable
from pathlib import Path

import dagster as dg

from nsmodels.core.artifact import MANIFEST, Manifest
from nsmodels.core.config import Config
from nsmodels.evaluation.comparison import joining
from nsmodels.evaluation.replication import EVALUATION, REPLICATES, evaluations_of
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

    Published results stand apart. A model without evaluation, or a dataset without study, is left out and named.
    """
    with step.one_line_errors():
        studies = present(STUDIES)
        names = [key.removesuffix("_baselines") for key in studies]
        evaluations = {key: path for name in names for key, path in evaluations_of_model(name).items()}
        recipe = reuse.Recipe(joining.config_of(studies, evaluations), joining.CODE_VERSION, {**studies, **evaluations})

        def build(folder: Path, is_forced: bool) -> Manifest:
            return joining.make_comparison(folder, studies, evaluations, folder.name, is_forced)

        made = reuse.make(context, recipe, REPORT.choose(context).force, build)
        missing = ", ".join(key for key in STUDIES if key not in studies) or "none"
        pages = results.pages(store.folder(context.asset_key))
        return results.result(made.manifest, **pages, is_reused=made.is_reused, reason=made.reason, missing=missing)


def evaluations_of_model(name: str) -> dict[str, Path]:
    """The sealed evaluation of a model, and those of its replicates that differ in nothing but the seed."""
    found, place = present([f"{name}_evaluation"]), store.folder(f"{name}{REPLICATES}")
    others = evaluations_of(place) if place.is_dir() else {}
    keyed = {f"{name}{REPLICATES}/{seed}/{EVALUATION}": path for seed, path in others.items()}
    return found | {key: path for own in found.values() for key, path in joining.of_other_seeds(own, keyed).items()}


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
    "unequal splits and networks of one seed.",
)
