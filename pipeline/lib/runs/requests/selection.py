"""Selections of assets, resolved so that an empty one, or a part that matches nothing, is an error.

Dagster reads a run without selected assets as a run of all assets: whatever is to start one is checked here first.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator

import dagster as dg

from nsmodels.core.errors import InputError, near
from pipeline.internals import AssetGraph, AssetNode, CheckError, DagsterInvalidAssetSelectionError, KeysAssetSelection

EXAMPLES = """names of assets separated by commas, or as in group:models, nav_model+, key:"nav*\""""
LIST_ALL = "list all with: dagster asset list -m pipeline.definitions"
# The words that a part of a selection may name, by the attribute before its colon.
WORDS: dict[str, Callable[[AssetNode], Iterable[str]]] = {
    "key": lambda node: [node.key.to_user_string()],
    "group": lambda node: [node.group_name],
    "kind": lambda node: node.kinds or (),
    "owner": lambda node: node.owners,
    "tag": lambda node: [f"{key}={value}" for key, value in node.tags.items()],
}


def resolve(graph: AssetGraph, text: str) -> set[dg.AssetKey]:
    """The assets that `text` selects, as `--select` of Dagster's commands does: at least one.

    Raises `InputError` for an empty text or part, a part that matches no asset, a combination that leaves none, and
    assets that cannot be materialized.
    """
    selections = [_parsed(part, text) for part in text.split(",")]
    for leaf in (leaf for each in selections for leaf in _leaves(each)):
        _require_match(graph, leaf, text)
    found = {key for each in selections for key in each.resolve(graph)}
    if not found:
        raise InputError(f"--select '{text}': its parts have no asset in common; {LIST_ALL}")
    external = sorted(key.to_user_string() for key in found - graph.materializable_asset_keys)
    if external:
        raise InputError(f"--select '{text}': {', '.join(external)} cannot be materialized; leave it out")
    return found


def _parsed(part: str, text: str) -> dg.AssetSelection:
    if not part.strip():
        raise InputError(f"--select '{text}': an empty name; expected {EXAMPLES}; {LIST_ALL}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Dagster's parser warns of itself, and fails where warnings are errors
            return dg.AssetSelection.from_string(part)
    except DagsterInvalidAssetSelectionError:
        raise InputError(f"--select '{text}': '{part}' is not a selection; expected {EXAMPLES}") from None


def _leaves(selection: dg.AssetSelection) -> Iterator[dg.AssetSelection]:
    """The parts of a selection that name something, without the operators that combine them."""
    inner = [getattr(selection, name, None) for name in ("child", "left", "right")]
    children = [each for each in [*inner, *getattr(selection, "operands", ())] if each is not None]
    if not children:
        yield selection
    for child in children:
        yield from _leaves(child)


def _require_match(graph: AssetGraph, leaf: dg.AssetSelection, text: str) -> None:
    """Raise `InputError` for a part that matches no asset."""
    if isinstance(leaf, KeysAssetSelection):
        for key in leaf.selected_keys:
            if not graph.has(key):
                _refuse(graph, "key", key.to_user_string(), text)
        return
    field, _, word = str(leaf).partition(":")
    try:
        found = leaf.resolve_inner(graph, allow_missing=False)
    except (NotImplementedError, dg.DagsterError, CheckError):
        raise InputError(f"--select '{text}': {field} cannot select assets here; expected {EXAMPLES}") from None
    if not found:
        _refuse(graph, field, word.strip('"').replace('"', ""), text)


def _refuse(graph: AssetGraph, field: str, word: str, text: str) -> None:
    nodes = [graph.get(key) for key in graph.get_all_asset_keys()]
    known = sorted({name for node in nodes for name in WORDS.get(field, lambda _: ())(node)})
    noun = {"key": "no asset", "tag": "no asset has the tag"}.get(field, f"no asset has the {field}")
    few = f"; known: {', '.join(known)}" if known and field in ("group", "kind", "owner") else ""
    raise InputError(f"--select '{text}': {noun} '{word}'{near(word.replace('*', ''), known)}{few}; {LIST_ALL}")
