"""Studies over all systems: every training with several seeds, and what these say together."""

from pathlib import Path

import dagster as dg

from nsmodels.core.artifact import Manifest
from nsmodels.core.config import Config
from nsmodels.engine.replication import CODE_VERSION
from pipeline.lib import policy, results, reuse, step, store
from pipeline.lib.launchpad import Launchpad
from pipeline.lib.replicates import replicates
from pipeline.lib.training import trainings
from pipeline.partitions import SEEDS

REPLICATES = replicates(trainings())
REPORT = Launchpad({"default": Config}, default="default")
assets = [each.asset() for each in REPLICATES]


@dg.asset(
    **policy.report(),
    deps=[each.key for each in REPLICATES],
    code_version=REPORT.version(CODE_VERSION),
    config_schema=REPORT.schema,
)
def replication_report(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Mean, 95 % interval, best and worst over the seeds that were trained; names those that are missing."""
    from nsmodels.engine import replication

    seeds = {each.key: SEEDS.get_partition_keys() for each in REPLICATES}
    found = replication.evaluations(seeds)

    def build(folder: Path, is_forced: bool) -> Manifest:
        return replication.make_report(folder, seeds, is_forced=is_forced)

    with step.one_line_errors():
        recipe = reuse.Recipe(replication.config_of(seeds, found), CODE_VERSION, found)
        made = reuse.make(context, recipe, REPORT.choose(context).force, build)
        shown = results.pages(store.folder(context.asset_key))
        return results.result(made.manifest, **shown, is_reused=made.is_reused, reason=made.reason)
