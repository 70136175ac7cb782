"""What Dagster's web server is made to show otherwise: nothing is stored or run differently.

- The launchpad opens with every field. Dagster leaves out those whose default is null, which here means "as in the
  preset", so that a person would see two of a hundred fields.
- An asset whose partitions are still to be added has the state "never materialized", where Dagster shows it as
  complete, in green: none of its no partitions is missing.
- A run of the command line is a run of this project, and so is in the timeline of *Overview*. Dagster shows there only
  runs that a web server or daemon has made.

The version of `dagster-graphql` is pinned; the tests ask a server for the three.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import yaml
from dagster_graphql.schema import asset_graph, run_config
from dagster_graphql.schema.pipelines.pipeline import GrapheneRun
from dagster_graphql.schema.repository_origin import GrapheneRepositoryOrigin
from dagster_shared.yaml_utils import dump_run_config_yaml

from pipeline.internals import default_values_from_type_snap, default_values_yaml_from_type_snap

OPS = "ops"
FIRST = ("preset", "force")  # at the top of a launchpad; the fields that are no sections follow
NEXT = ("training", "model")  # then these sections, and then the others


def install() -> None:
    """Make this process show it; before the server creates its GraphQL schema."""
    run_config.default_values_yaml_from_type_snap = default_yaml  # pyright: ignore[reportPrivateImportUsage]
    node = asset_graph.GrapheneAssetNode
    node.resolve_partitionStats = _not_of_none(node.resolve_partitionStats)
    GrapheneRun.resolve_repositoryOrigin = origin  # pyright: ignore[reportAttributeAccessIssue]


def default_yaml(snapshot: Any, type_snap: Any) -> str:
    """The configuration with which a launchpad opens: that of Dagster, and all fields of the assets, null included."""
    shown = yaml.safe_load(default_values_yaml_from_type_snap(snapshot, type_snap)) or {}
    ops = _without_empty(default_values_from_type_snap(type_snap, snapshot).get(OPS) or {})
    ops = {name: {"config": in_order(op["config"])} if op.keys() == {"config"} else op for name, op in ops.items()}
    return dump_run_config_yaml({**({OPS: ops} if ops else {}), **{k: v for k, v in shown.items() if k != OPS}}, False)


def in_order(config: Mapping[str, Any]) -> dict[str, Any]:
    """The fields in alphabetical order, as Dagster keeps them, after those that people change most; sections alike."""
    plain = [name for name, value in config.items() if not isinstance(value, Mapping)]
    order = dict.fromkeys(name for name in (*FIRST, *plain, *NEXT, *config) if name in config)
    return {name: in_order(value) if isinstance(value := config[name], Mapping) else value for name in order}


def _without_empty(values: Any) -> Any:
    """Nested mappings without those that are empty."""
    if not isinstance(values, Mapping):
        return values
    kept = {name: _without_empty(value) for name, value in values.items()}
    return {name: value for name, value in kept.items() if value != {}}


def _not_of_none(resolve: Any) -> Any:
    @functools.wraps(resolve)
    async def stats(node: Any, info: Any) -> Any:
        found = await resolve(node, info)
        return None if found is not None and found.numPartitions == 0 else found

    return stats


def origin(run: Any, info: Any) -> GrapheneRepositoryOrigin | None:
    """The repository of a run: its own, or for a run of the command line the one here that has its job."""
    known = run.dagster_run.remote_job_origin
    if known:
        return GrapheneRepositoryOrigin(known.repository_origin)
    for location in info.context.code_locations:
        for repository in location.get_repositories().values():
            if repository.has_job(run.dagster_run.job_name):
                return GrapheneRepositoryOrigin(repository.get_remote_origin())
    return None
