"""The paper: tables, supplement and cards, each from whatever of its inputs is sealed."""

import importlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import dagster as dg

from nsmodels.core.artifact import Manifest, data_root
from nsmodels.core.config import Config
from nsmodels.core.sealed import renamed
from nsmodels.paper.contents import ABLATIONS
from nsmodels.paper.versions import CARDS_VERSION, SUPPLEMENT_VERSION, TABLES_VERSION
from pipeline.assets.studies import SCORED_REPLICATES
from pipeline.assets.systems import trainings
from pipeline.lib import policy, reuse, step, store
from pipeline.lib.display import references, results
from pipeline.lib.launchpad import Launchpad

PAD = Launchpad({"default": Config}, default="default")
OVER_SEEDS = [each.key for each in SCORED_REPLICATES]


def part(name: str, deps: Iterable[str], function: str, version: str, about: str) -> dg.AssetsDefinition:
    """The asset `name`, made by "module:function" of the library from the data root into its folder."""
    module, _, called = function.partition(":")

    @dg.asset(
        name=name,
        deps=list(deps),
        description=about,
        code_version=PAD.version(version),
        config_schema=PAD.schema,
        metadata=references.to_module(module),
        **policy.paper(),
    )
    def asset(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        for key in OVER_SEEDS:
            renamed.take_over(key)
        make: Any = getattr(importlib.import_module(module), called)  # here: it imports numpy

        def build(folder: Path, is_forced: bool) -> Manifest:
            return make(data_root(), folder, is_forced)

        with step.one_line_errors():
            made = reuse.make(context, reuse.Recipe(None, version, {}), PAD.choose(context).force, build)
            pages = results.pages(store.folder(context.asset_key))
            return results.result(made.manifest, **pages, is_reused=made.is_reused, reason=made.reason)

    return cast(dg.AssetsDefinition, asset)


paper_tables = part(
    "paper_tables",
    [*OVER_SEEDS, *ABLATIONS],
    "nsmodels.paper.tables.artifact:make_tables",
    TABLES_VERSION,
    "Results over seeds with chance, baselines and ceilings, parts of the models, searches and cost, as LaTeX and CSV; "
    "for each system and for all. Trainings of fewer than three seeds are left out and named.",
)
supplement = part(
    "supplement",
    [*OVER_SEEDS, *ABLATIONS],
    "nsmodels.paper.supplement.artifact:make_supplement",
    SUPPLEMENT_VERSION,
    "How everything was made, as PDF: commands, configurations, compute and energy, proofs with failures among them, "
    "negative results.",
)
model_cards = part(
    "model_cards",
    [*(each.model_key for each in trainings()), *OVER_SEEDS],
    "nsmodels.paper.cards.collection:make_model_cards",
    CARDS_VERSION,
    "A card for each trained model, as `nsmodels push` puts it beside a copy.",
)
dataset_cards = part(
    "dataset_cards",
    sorted({key for each in trainings() for key in each.all_datasets}),
    "nsmodels.paper.cards.collection:make_dataset_cards",
    CARDS_VERSION,
    "A card and Croissant metadata for each dataset, as `nsmodels push` puts them beside a copy.",
)
