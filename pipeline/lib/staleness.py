"""Staleness in the web UI: of assets whose code, configuration defaults or data have changed, and of all downstream.

Dagster's staleness ignores configuration and covers direct inputs only. So the code version for Dagster includes the
presets of an asset (`Launchpad.version`) and, added here, the versions of everything upstream. Manifests contain the
plain version: an artifact whose recipe has not changed is reused in seconds and becomes fresh again.
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
NEVER_SEEN = "INITIAL"  # Dagster's data version of an input without a record
NO_EVENT = "NULL"


def spread(assets: Iterable[dg.AssetsDefinition]) -> list[dg.AssetsDefinition]:
    """The assets with code versions that also change with those of all upstream assets."""
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
    """A code version with a suffix that changes with the content of `presets`, as in "3+1f2e3d4c"."""
    return f"{code_version}+{fingerprint([code_version, presets])[:8]}"


def plain(code_version: str | None) -> str | None:
    """The code version without suffix, as in manifests."""
    return code_version and code_version.partition("+")[0]


def tags(context: dg.AssetExecutionContext, key: dg.AssetKey, manifest: Manifest) -> dict[str, str]:
    """Tags that Dagster would have set if the artifact had been built by its own step.

    An artifact of a different code version or of different inputs is recorded with these, so the UI shows it as stale.
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
    """Version of an input according to the manifest, or else the last one that Dagster has recorded."""
    name, event = key.to_user_string(), instance.get_latest_materialization_event(key)
    last = event.asset_materialization if event else None
    known = (last.tags or {}).get(DATA_VERSION, NEVER_SEEN) if last else NEVER_SEEN
    record = manifest.inputs.get(name)
    return {f"{INPUT_VERSION}/{name}": record.fingerprint if record else known, f"{INPUT_EVENT}/{name}": NO_EVENT}
