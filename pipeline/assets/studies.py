"""Studies over all systems: every training with several seeds or configurations, and reports over them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from nsmodels.core.artifact import Manifest
from nsmodels.core.config import Config
from nsmodels.core.sealed import renamed
from nsmodels.evaluation import ranking, replication
from nsmodels.evaluation.ranking import RankingConfig
from pipeline.assets.systems import trainings
from pipeline.lib import policy, reuse, step, store
from pipeline.lib.display import answers, results
from pipeline.lib.launchpad import Launchpad
from pipeline.lib.partitions.keys import SEEDS
from pipeline.lib.partitions.replicates import replicates
from pipeline.lib.partitions.trials import trials

TRAININGS = trainings()
REPLICATES, TRIALS = replicates(TRAININGS), trials(TRAININGS)
SCORED, SCORED_REPLICATES = [t for t in TRAININGS if t.is_scored], [r for r in REPLICATES if r.training.is_scored]
REPORT = Launchpad({"default": Config}, default="default")
RANKING = Launchpad({"default": RankingConfig}, default="default")
assets = [each.asset() for each in REPLICATES + TRIALS]


@dg.asset(
    **policy.report(),
    deps=[each.key for each in SCORED_REPLICATES],
    code_version=REPORT.version(replication.CODE_VERSION),
    config_schema=REPORT.schema,
)
def replication_report(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Mean, 95 % interval, best and worst over the seeds that were trained; names those that are missing."""
    seeds = {each.key: SEEDS.get_partition_keys() for each in SCORED_REPLICATES}
    for key in seeds:
        renamed.take_over(key)
    found = replication.evaluations(seeds)
    recipe = reuse.Recipe(replication.config_of(seeds, found), replication.CODE_VERSION, found)

    def show(folder: Path) -> results.Metadata:
        return {"seeds": results.table(replication.cells(seeds), replication.ABOUT)}

    return _made(
        context, recipe, REPORT, lambda folder, force: replication.make_report(folder, seeds, is_forced=force), show
    )


@dg.asset(
    **policy.report(kinds={"table", "parquet"}),
    deps=[each.evaluation_key for each in SCORED] + [each.key for each in REPLICATES + TRIALS],
    code_version=RANKING.version(ranking.CODE_VERSION),
    config_schema=RANKING.schema,
)
def leaderboard(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Every evaluation ever made, replaced ones too, ranked by score with its interval; two compared item by item."""
    with step.one_line_errors():
        config = RANKING.choose(context).config
        recipe = reuse.Recipe(ranking.config_of(ranking.listed(), config), ranking.CODE_VERSION, {})
    return _made(
        context, recipe, RANKING, lambda folder, force: ranking.make_ranking(config, folder, is_forced=force), rows
    )


def rows(folder: Path) -> results.Metadata:
    """The best rows as a table of the UI; then the summary, and the columns of all rows."""
    table = results.table(ranking.cells(folder), ranking.ABOUT)
    return {"leaderboard": table, answers.KEY: "", **results.columns(folder / ranking.TABLE, ranking.COLUMNS)}


def _made(
    context: dg.AssetExecutionContext,
    recipe: reuse.Recipe,
    pad: Launchpad[Any],
    build: Callable[[Path, bool], Manifest],
    show: Callable[[Path], Mapping[str, Any]] = lambda folder: {},
) -> dg.MaterializeResult:
    """Make or keep what is made from whatever lies on disk; its table comes first, then its texts and figures."""
    with step.one_line_errors():
        made = reuse.make(context, recipe, pad.choose(context).force, build)
        folder = store.folder(context.asset_key)
        shown = {
            **show(folder),
            answers.KEY: "",
            **results.pages(folder),
            "is_reused": made.is_reused,
            "reason": made.reason,
        }
        return results.result(made.manifest, **shown)
