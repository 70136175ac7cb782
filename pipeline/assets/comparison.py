"""Baselines and models on all datasets of images side by side, and the figure of the paper."""

from collections.abc import Iterable
from pathlib import Path

import dagster as dg

from nsmodels.core.artifact import MANIFEST, Manifest
from nsmodels.core.config import Config
from nsmodels.evaluation.comparison import joining
from pipeline.lib import figure, policy, reuse, step, store
from pipeline.lib.display import results
from pipeline.lib.launchpad import Launchpad

DATASETS = ("gqa_mini", "vqa_mini", "clevr_mini")
STUDIES = tuple(f"{name}_baselines" for name in DATASETS)
EVALUATIONS = tuple(f"{name}_evaluation" for name in DATASETS)
REPORT = Launchpad({"default": Config}, default="default")


@dg.asset(
    **policy.report(),
    deps=[*STUDIES, *EVALUATIONS],
    code_version=REPORT.version(joining.CODE_VERSION),
    config_schema=REPORT.schema,
)
def visual_baselines(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Chance, priors, baselines over seeds, the model on its levels, annotators: of the datasets whose study there is.

    Published results stand apart. A model without evaluation, or a dataset without study, is left out and named.
    """
    with step.one_line_errors():
        studies = present(STUDIES)
        evaluations = present(f"{key.removesuffix('_baselines')}_evaluation" for key in studies)
        recipe = reuse.Recipe(joining.config_of(studies, evaluations), joining.CODE_VERSION, {**studies, **evaluations})

        def build(folder: Path, is_forced: bool) -> Manifest:
            return joining.make_comparison(folder, studies, evaluations, folder.name, is_forced)

        made = reuse.make(context, recipe, REPORT.choose(context).force, build)
        missing = ", ".join(key for key in STUDIES if key not in studies) or "none"
        pages = results.pages(store.folder(context.asset_key))
        return results.result(made.manifest, **pages, is_reused=made.is_reused, reason=made.reason, missing=missing)


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
