"""Build an artifact or reuse the one that is there, with the reason."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from nsmodels.core.artifact import Manifest, data_root, describe_input, keeping, read_manifest
from nsmodels.core.config import flat, is_seed
from nsmodels.core.errors import InputError
from pipeline.lib import store


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the content of an artifact; the seed is part of the configuration.

    `config` is None where only the library can decide, as for data whose source is still to be found.
    """

    config: Mapping[str, Any] | None
    code_version: str
    inputs: Mapping[str, Path]


@dataclass(frozen=True)
class Result:
    """The artifact of a step, and why it was built or reused."""

    manifest: Manifest
    is_reused: bool
    reason: str


def make(
    context: dg.AssetExecutionContext,
    recipe: Recipe,
    force: bool,
    build: Callable[[Path, bool], Manifest],
    folder: Path | None = None,
) -> Result:
    """Call `build` with `folder`, by default the asset's own, unless it holds a sealed artifact of the same recipe.

    The second argument of `build` is whether to build it though its recipe is the same: by `force`, or because inputs
    were built again.
    """
    folder = folder or store.folder(context.asset_key)
    before = _sealed(folder)
    reasons = ["force"] if force and before else changes(before, recipe)
    if before and not reasons and recipe.config is not None:
        return _logged(context, Result(before, True, _kept(before)))
    if reasons:
        name = str(folder).removeprefix(f"{data_root()}/")
        context.log.info(f"{name}: to be built: {'; '.join(reasons)}")
    is_forced = force or bool(before and made_again(before, recipe.inputs))
    manifest, is_kept = keeping(folder, lambda: build(folder, is_forced))
    if is_kept:
        return _logged(context, Result(manifest, True, _kept(manifest)))
    if manifest.copy_of:
        reason = f"copied from {manifest.copy_of}, built {manifest.created} from the same"
        return _logged(context, Result(manifest, False, reason))
    reasons = reasons or changes(before, Recipe(manifest.config, manifest.code_version, recipe.inputs))
    return _logged(context, Result(manifest, False, f"built: {'; '.join(reasons) or 'rechecked'}"))


def changes(before: Manifest | None, recipe: Recipe) -> list[str]:
    """Differences between a sealed artifact and a recipe, one short line per kind; empty when there are none.

    Raises InputError for an input that is missing.
    """
    if before is None:
        return ["no artifact yet"]
    known = {record.fingerprint for record in before.inputs.values()}
    wanted = {key: read_manifest(folder, key).fingerprint for key, folder in recipe.inputs.items()}
    found = [] if recipe.config is None else differences(before.config, recipe.config)
    if before.code_version != recipe.code_version:
        found.append(f"code version {before.code_version} -> {recipe.code_version}")
    found += [f"input {key} has changed" for key, mark in wanted.items() if mark not in known]
    if wanted and len(wanted) < len(before.inputs):  # without any, the library decides what it is built from
        dropped = [key for key, record in before.inputs.items() if record.fingerprint not in wanted.values()]
        found += [f"input {key} is no longer used" for key in dropped if key not in wanted]
    return found + [f"input {key} was built again" for key in made_again(before, recipe.inputs)]


def is_built_with(folder: Path, config: Mapping[str, Any]) -> bool:
    """Whether the folder holds a sealed artifact of this configuration, whatever its inputs."""
    before = _sealed(folder)
    return before is not None and not differences(before.config, config)


def made_again(before: Manifest, inputs: Mapping[str, Path]) -> list[str]:
    """The inputs of the same recipe as those of a sealed artifact, but sealed anew since."""
    known = {(record.fingerprint, record.manifest_sha256) for record in before.inputs.values()}
    recipes = {fingerprint for fingerprint, _ in known}
    found = {key: describe_input(folder) for key, folder in inputs.items()}
    return [
        key
        for key, record in found.items()
        if record.fingerprint in recipes and (record.fingerprint, record.manifest_sha256) not in known
    ]


def _kept(manifest: Manifest) -> str:
    return f"reused, built {manifest.created}: same configuration, code, inputs and seed"


def _logged(context: dg.AssetExecutionContext, made: Result) -> Result:
    context.log.info(f"{made.manifest.key}: {made.reason}")
    return made


def _sealed(folder: Path) -> Manifest | None:
    try:
        return read_manifest(folder)
    except InputError:
        return None


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The fields in which the configuration of a manifest differs from a second one, a short line each."""
    was, now = flat(before), flat(plain(after))
    names = [name for name in sorted(was.keys() | now.keys()) if was.get(name) != now.get(name)]
    kinds = {name: "seed" if is_seed(name) else "config" for name in names}
    return [f"{kinds[name]} {name} {was.get(name)} -> {now.get(name)}" for name in names]


def plain(config: Mapping[str, Any]) -> dict[str, Any]:
    """As it comes back from a manifest."""
    return json.loads(json.dumps(config, default=str))
