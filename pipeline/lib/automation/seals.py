"""The check `seal` of every asset: its files are those of its manifest; and the nightly run of those checks."""

from collections.abc import Iterable
from typing import Any

import dagster as dg

from nsmodels.commands.verification import Verdict, artifacts, verdict_of
from pipeline.lib import store

NAME, JOB = "seal", "verify_seals"
ABOUT = (
    "Every file has the size and checksum of the manifest, and there are no others. In a run that builds the asset, "
    "files that were hashed before are not hashed again; alone, and every night, all are."
)
SHOWN = 50  # lines


def checks(found: Iterable[object]) -> list[dg.AssetChecksDefinition]:
    """A check of each asset among the definitions; of a partitioned one over all of its partitions."""
    keys = {key for each in found if isinstance(each, dg.AssetsDefinition) for key in each.keys}
    return [_check(key) for key in sorted(keys)]


def existing(graph_keys: Iterable[dg.AssetCheckKey]) -> list[dg.AssetCheckKey]:
    """The checks of this name whose asset, or a partition of it, is on the disk."""
    chosen = [key for key in graph_keys if key.name == NAME and store.folder(key.asset_key).is_dir()]
    return sorted(chosen, key=lambda key: key.asset_key)


def verdicts(key: dg.AssetKey, is_quick: bool) -> list[Verdict]:
    """Of the artifact of an asset, or of all artifacts of its partitions."""
    name, folder = key.to_user_string(), store.folder(key)
    inner = {} if (folder / "manifest.json").exists() else artifacts(folder)
    places = {f"{name}/{part}": place for part, place in inner.items()} or {name: folder}
    return [verdict_of(label, place, is_quick) for label, place in places.items()]


def job(those: Iterable[dg.AssetChecksDefinition]) -> Any:
    """The job of these checks."""
    about = "Compares every file of every artifact with its manifest; the schedule takes those that exist."
    return dg.define_asset_job(JOB, selection=dg.AssetSelection.checks(*those), description=about)


@dg.schedule(
    job_name=JOB,
    name="nightly_seals",
    cron_schedule="0 1 * * *",
    execution_timezone="UTC",
    description="Every night: the files of every artifact that exists are compared with its manifest.",
    default_status=dg.DefaultScheduleStatus.STOPPED,
)
def nightly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """A run of the checks whose assets are on the disk."""
    graph = context.repository_def.asset_graph if context.repository_def else None
    keys = existing(graph.asset_check_keys) if graph else []
    return dg.RunRequest(asset_selection=[], asset_check_keys=keys) if keys else dg.SkipReason("no artifact exists yet")


def _check(key: dg.AssetKey) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=key, name=NAME, description=ABOUT)
    def seal(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        return result(verdicts(key, is_quick=key in context.job_def.asset_layer.executable_asset_keys))

    return seal


def result(those: list[Verdict]) -> dg.AssetCheckResult:
    """Passed when no file differs; the first that does is named, all of them are listed."""
    found = [finding for verdict in those for finding in verdict.found]
    files = sum(len(verdict.manifest.files) for verdict in those if verdict.manifest)
    size = sum(verdict.manifest.num_bytes for verdict in those if verdict.manifest)
    numbers: dict[str, Any] = {"num_artifacts": len(those), "num_files": files, "num_bytes": size}
    numbers["seconds"] = round(sum(verdict.seconds for verdict in those), 2)
    lines = "\n".join(f"- {finding.state}: {finding.line}" for finding in found[:SHOWN])
    return dg.AssetCheckResult(
        passed=not found,
        description=found[0].line if found else f"{files:,} files as sealed",
        metadata={
            **numbers,
            "num_differing": len(found),
            **({"differing": dg.MetadataValue.md(lines)} if found else {}),
        },
    )
