"""What the web UI calls stale: assets whose code, configuration defaults or data changed, and all that follows.

Dagster's staleness ignores configuration and does not look further than one step. So the code version that it is told
covers the presets of an asset (`Launchpad.version`) and, put in here, the versions of everything it is made from.
Manifests keep the plain version: an artifact that would come out the same is reused in seconds and is fresh again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import dagster as dg

from nsmodels.core.artifact import Manifest
from nsmodels.core.config import fingerprint

DATA_VERSION = "dagster/data_version"
CODE_VERSION = "dagster/code_version"
IS_OWN_VERSION = "dagster/data_version_is_user_provided"
INPUT_VERSION = "dagster/input_data_version"
INPUT_EVENT = "dagster/input_event_pointer"
NEVER_SEEN = "INITIAL"  # Dagster's word for an input without a record
NO_EVENT = "NULL"


def spread(assets: Iterable[dg.AssetsDefinition]) -> list[dg.AssetsDefinition]:
    """The assets with code versions that also change with those of the assets they are made from."""
    assets = list(assets)
    specs = {spec.key: spec for asset in assets for spec in asset.specs}
    known: dict[dg.AssetKey, str | None] = {}

    def version(key: dg.AssetKey) -> str | None:
        if key not in known:
            known[key] = (
                _joined(specs[key], [version(dep.asset_key) for dep in specs[key].deps]) if key in specs else None
            )
        return known[key]

    return [
        asset.map_asset_specs(lambda spec: spec.replace_attributes(code_version=version(spec.key))) for asset in assets
    ]


def with_presets(code_version: str, presets: Mapping[str, object]) -> str:
    """A code version with a mark that changes with what `presets` say, as in "3+1f2e3d4c"."""
    return f"{code_version}+{fingerprint([code_version, presets])[:8]}"


def plain(code_version: str | None) -> str | None:
    """The part of a code version that stands in manifests."""
    return code_version and code_version.partition("+")[0]


def tags(context: dg.AssetExecutionContext, key: dg.AssetKey, manifest: Manifest) -> dict[str, str]:
    """What Dagster would have tagged the artifact with, had it been made by its own step.

    An artifact of another code version is told as such, one of other inputs too: it is stale from the first.
    """
    layer = context.op_execution_context.job_def.asset_layer
    node = layer.get(key) if layer.has(key) else None
    expected = node.code_version if node else None
    is_current = plain(expected) == manifest.code_version
    found = {DATA_VERSION: manifest.fingerprint, IS_OWN_VERSION: "true"}
    found[CODE_VERSION] = expected if is_current and expected else manifest.code_version
    for parent in sorted(node.parent_keys) if node else ():
        found |= _input_tags(context.instance, parent, manifest)
    return found


def _joined(spec: dg.AssetSpec, parents: list[str | None]) -> str | None:
    own = spec.code_version
    return own and f"{plain(own)}+{fingerprint([own, sorted(filter(None, parents))])[:8]}"


def _input_tags(instance: dg.DagsterInstance, key: dg.AssetKey, manifest: Manifest) -> dict[str, str]:
    """The version of an input that the manifest says, else the last one that Dagster knows of."""
    name, event = key.to_user_string(), instance.get_latest_materialization_event(key)
    last = event.asset_materialization if event else None
    known = (last.tags or {}).get(DATA_VERSION, NEVER_SEEN) if last else NEVER_SEEN
    record = manifest.inputs.get(name)
    return {f"{INPUT_VERSION}/{name}": record.fingerprint if record else known, f"{INPUT_EVENT}/{name}": NO_EVENT}
