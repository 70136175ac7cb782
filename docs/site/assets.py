"""Reference of the assets, from the definitions: a page for each, and their list by group."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import dagster as dg

from docs.site import fields, markdown
from pipeline.definitions import defs
from pipeline.lib import launchpad, policy

GROUPS = ("archives", "datasets", "models", "evaluations", "studies", "replicates", "trials", "figures", "paper")
INTRODUCTION = """# Assets

Everything that the project can build, by group. The page of an asset has its inputs, its presets, its checks and the
command. In a selection, `group:figures` is a whole group, `'nav_model*'` an asset with all that follows from it, and
`'*nav_evaluation'` one with all that it needs.
"""


def pages() -> dict[str, str]:
    """A page for each asset and the list of all, by name in the site."""
    repository = defs().get_repository_def()
    graph = repository.asset_graph
    nodes = {key.to_user_string(): graph.get(key) for key in graph.get_all_asset_keys()}
    found = {f"reference/assets/{name}": _page(name, nodes[name], repository) for name in sorted(nodes)}
    return {"reference/assets/index": _index(nodes), **found}


def _index(nodes: dict[str, Any]) -> str:
    groups: dict[str, list[str]] = defaultdict(list)
    for name, node in sorted(nodes.items()):
        groups[node.group_name].append(name)
    found = [INTRODUCTION]
    for group in sorted(groups, key=lambda each: (GROUPS.index(each) if each in GROUPS else len(GROUPS), each)):
        rows = [[_link(name), _first_sentence(nodes[name].description or "")] for name in groups[group]]
        found.append(f"\n## {group}\n\n{markdown.table(['asset', ''], rows)}")
    return "".join(found)


def _page(name: str, node: Any, repository: dg.RepositoryDefinition) -> str:
    return "\n".join(
        [
            (f"# {name}\n\n{node.description or ''}\n"),
            markdown.table(["", ""], _facts(node)),
            "## Build it\n",
            markdown.block(f"dagster asset materialize --select {name}{_partition(node)}", "bash"),
            _checks(node, repository),
        ]
    )


def _facts(node: Any) -> list[list[str]]:
    """What the definitions state about an asset, name and value; without what it does not have."""
    pad = launchpad.of(node.assets_def)
    pool = "gpu, or training on a machine without a GPU" if node.pools == {policy.TRAINING} else ", ".join(node.pools)
    facts = {
        "group": f"[{node.group_name}](index.md#{node.group_name})",
        "made from": _links(node.parent_keys),
        "used by": _links(node.child_keys),
        "presets": ", ".join(map(markdown.code, pad.names))
        + (f"; by default `{pad.default_name}`" if pad.names[1:] else ""),
        "configuration": _configuration(pad),
        "partitions": _partitions(node),
        "pool": pool,
        "kinds": ", ".join(sorted(node.kinds)),
        "tags": ", ".join(f"`{key}={value}`" for key, value in sorted(node.tags.items()) if "/" not in key),
    }
    return [[name, text] for name, text in facts.items() if text]


def _configuration(pad: Any) -> str:
    kind = pad.kind
    if not kind.model_fields:
        return ""
    page = fields.page_of(kind)
    return f"[{kind.__name__}](../configuration/{page}.md#{kind.__name__.lower()})"


def _partitions(node: Any) -> str:
    if node.partitions_def is None:
        return ""
    if isinstance(node.partitions_def, dg.DynamicPartitionsDefinition):
        return "one for each configuration that `nsmodels sweep` adds"
    keys = node.partitions_def.get_partition_keys()
    return f"{keys[0]} to {keys[-1]}, the seed of the training"


def _partition(node: Any) -> str:
    if node.partitions_def is None:
        return ""
    return " --partition NAME" if isinstance(node.partitions_def, dg.DynamicPartitionsDefinition) else " --partition 0"


def _checks(node: Any, repository: dg.RepositoryDefinition) -> str:
    graph = repository.asset_graph
    nodes = [graph.get(key) for key in sorted(node.check_keys, key=lambda key: key.name)]
    rows = [
        [markdown.code(each.key.name), markdown.plain(each.description or ""), "yes" if each.blocking else ""]
        for each in nodes
    ]
    return f"## Checks\n\n{markdown.table(['check', 'what holds', 'blocks what follows'], rows)}" if rows else ""


def _links(keys: Iterable[dg.AssetKey]) -> str:
    return ", ".join(_link(key.to_user_string()) for key in sorted(keys))


def _link(name: str) -> str:
    return f"[{name}]({name}.md)"


def _first_sentence(text: str) -> str:
    return markdown.plain(text.partition("\n\n")[0])
