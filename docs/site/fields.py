"""Reference of the configurations: every field with its type, bounds, description, and value by preset."""

from __future__ import annotations

import importlib
import pkgutil
import sys
import types
import typing
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

import nsmodels
from docs.site import markdown
from nsmodels.core import discover
from nsmodels.core.config import Config
from nsmodels.core.config.base import section_of
from nsmodels.core.config.conditions import condition, is_runtime, value_of
from nsmodels.core.config.help import as_text, bounds

CONFIGURED = ("config", "presets", "entry", "ranking")  # modules that hold configurations
WORDS = {bool: "yes or no", int: "whole number", float: "number", str: "text", Path: "path", type(None): "none"}
INTRODUCTION = """# Configuration

Every field of every configuration of this version, with its type, its bounds and its value by preset. A field is given

- on the command line, as `--section.field VALUE`, or `--field VALUE` for the first section that has it;
- in a file for `--config`, as YAML: `section: {field: value}`;
- in the launchpad of the web UI, or with `--config-json`, under the name of the asset.

`--print-config` prints the whole configuration of a command. A field marked *how to run* does not change a result, and
is no part of what is compared before a result is reused.
"""


@dataclass(frozen=True)
class Root:
    """A configuration as a whole.

    Attributes:
        kind: its class.
        presets: named configurations of that class; "default" alone where none are named.
    """

    kind: type[Config]
    presets: Mapping[str, Config]

    @property
    def anchor(self) -> str:
        """Anchor of its heading."""
        return self.kind.__name__.lower()


def pages() -> dict[str, str]:
    """A page for each package with configurations, by name in the site."""
    found = {f"reference/configuration/{name}": (_page(name, roots)) for name, roots in by_page().items()}
    return {"reference/configuration/index": _index(), **found}


@cache
def by_page() -> dict[str, list[Root]]:
    """The roots on each page, which is named after the system or dataset, or the package, of their classes."""
    found: dict[str, list[Root]] = defaultdict(list)
    for root in roots():
        found[page_of(root.kind)].append(root)
    return dict(sorted(found.items()))


def page_of(kind: type[Config]) -> str:
    """Page of a class: `nav` for nsmodels.systems.nav.config, else the package."""
    _, package, *more = kind.__module__.split(".")
    return more[0] if package in ("systems", "datasets") else package


@cache
def classes() -> frozenset[type[Config]]:
    """Every class of configurations in the library."""
    for module in pkgutil.walk_packages(nsmodels.__path__, "nsmodels.", onerror=lambda name: None):
        if module.name.rpartition(".")[2] in CONFIGURED and ".core." not in module.name:
            importlib.import_module(module.name)
    # A class outlives a module that was unloaded, until it is collected.
    loaded = (each for each in _below(Config) if each.__module__ in sys.modules)
    return frozenset(each for each in loaded if each.__module__.startswith("nsmodels."))


@cache
def roots() -> list[Root]:
    """Configurations that have presets, then classes that are neither these nor sections of them, nor records."""
    named: dict[type[Config], dict[str, Config]] = defaultdict(dict)
    for name, config in _presets():
        named[type(config)].setdefault(name, config)
    found = [Root(kind, presets) for kind, presets in named.items()]
    seen = {inner for root in found for inner in sections(root.kind)}
    seen |= {base for kind in seen for base in kind.__mro__}
    alone = sorted(classes() - seen, key=lambda kind: (kind.__module__, kind.__name__))
    return found + [Root(kind, {"default": kind()}) for kind in alone if _has_defaults(kind)]


def sections(kind: type[Config]) -> Iterator[type[Config]]:
    """A class and those of its sections, at any depth."""
    yield kind
    for info in kind.model_fields.values():
        if section := section_of(info):
            yield from sections(section)


def _below(kind: type[Config]) -> Iterator[type[Config]]:
    for each in kind.__subclasses__():
        yield each
        yield from _below(each)


def _has_defaults(kind: type[Config]) -> bool:
    return not any(info.is_required() for info in kind.model_fields.values())


def _presets() -> Iterator[tuple[str, Config]]:
    """Every preset: of stages, domains and evaluations of systems, then of mappings of presets in the modules."""
    for system in map(discover.system, discover.systems()):
        for stage in system.stages:
            yield from _made(stage.presets, "" if len(system.domains) < 2 else next(iter(system.domains)))
        for domain, (_, presets) in system.domains.items():
            yield from _made(presets, domain if len(system.domains) > 1 else "")
        yield from _made(system.evaluation_presets)
    for module in sorted({kind.__module__ for kind in classes()}):
        for value in vars(importlib.import_module(module)).values():
            if isinstance(value, dict) and value and all(map(callable, value.values())):
                yield from _made(value)


def _made(presets: Mapping[str, Any], domain: str = "") -> Iterator[tuple[str, Config]]:
    for name, preset in presets.items():
        config = preset() if not isinstance(preset, Config) else preset
        if isinstance(config, Config):
            yield (f"{name} ({domain})" if domain else name), config


def _index() -> str:
    rows = []
    for name, found in by_page().items():
        links = ", ".join(f"[{root.kind.__name__}]({name}.md#{root.anchor})" for root in found)
        rows.append([f"[{name}]({name}.md)", links])
    return INTRODUCTION + "\n" + markdown.table(["page", "configurations"], rows)


def _page(name: str, found: list[Root]) -> str:
    return f"# Configuration: {name}\n" + "".join(map(_described, found))


def _described(root: Root) -> str:
    head = f"\n## {root.kind.__name__}\n\n{_about(root.kind)}\n\n`{root.kind.__module__}`"
    names = ", ".join(map(markdown.code, root.presets))
    head += f"; presets: {names}.\n" if list(root.presets) != ["default"] else ".\n"
    return head + "".join(_section(root, prefix, rows) for prefix, rows in _by_section(root).items())


def _section(root: Root, prefix: str, rows: list[list[str]]) -> str:
    title = f"\n### {root.kind.__name__}: {prefix}\n" if prefix else ""
    return f"{title}\n{markdown.table(['field', 'type', 'value by preset', 'meaning'], rows)}"


def _by_section(root: Root) -> dict[str, list[list[str]]]:
    """Rows of the table of each section, by its dotted name; empty for the fields of the configuration itself."""
    found: dict[str, list[list[str]]] = defaultdict(list)
    for prefix, name, info in members(root.kind):
        dotted = f"{prefix}.{name}" if prefix else name
        found[prefix].append([markdown.code(name), _type(info), _values(root, dotted), _meaning(info)])
    return found


def members(kind: type[Config], prefix: str = "") -> Iterator[tuple[str, str, FieldInfo]]:
    """The fields of a configuration that are no sections: dotted name of their section, name, field."""
    inner = []
    for name, info in kind.model_fields.items():
        if section := section_of(info):
            inner.append((f"{prefix}.{name}" if prefix else name, section))
        else:
            yield prefix, name, info
    for name, section in inner:
        yield from members(section, name)


def _type(info: FieldInfo) -> str:
    limits = ", ".join(markdown.plain(limit) for limit in bounds(info))
    return type_name(info.annotation) + (f", {limits}" if limits else "")


def type_name(annotation: Any) -> str:
    """A type in words."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return ", ".join(map(markdown.code, inner))
    if origin in (list, tuple, set, frozenset):
        return "list of " + " or ".join(dict.fromkeys(type_name(each) for each in inner if each is not ...))
    if origin in (typing.Union, types.UnionType):
        return " or ".join(type_name(each) for each in inner)
    if origin is typing.Annotated:
        return type_name(inner[0])
    return WORDS.get(annotation, markdown.plain(getattr(annotation, "__name__", str(annotation))))


def _values(root: Root, dotted: str) -> str:
    """The value of a field, with the presets that have it where they differ."""
    found: dict[str, list[str]] = defaultdict(list)
    for name, config in root.presets.items():
        found[as_text(value_of(config, dotted))].append(name)
    if len(found) == 1:
        return markdown.code(next(iter(found)))
    return "<br>".join(f"{markdown.code(value)} {', '.join(_short(names, root))}" for value, names in found.items())


def _short(names: list[str], root: Root) -> list[str]:
    """Names of presets, those of all domains without the domain."""
    stem = {name: name.partition(" (")[0] for name in root.presets}
    whole = {each for each in stem.values() if all(name in names for name in stem if stem[name] == each)}
    return list(dict.fromkeys(stem[name] if stem[name] in whole else name for name in names))


def _meaning(info: FieldInfo) -> str:
    text = markdown.plain(info.description or "")
    needed = markdown.plain(condition(info))
    return "; ".join(
        [text, *([f"acts with {needed}"] if needed else []), *(["*how to run*"] if is_runtime(info) else [])]
    )


def _about(kind: type[Config]) -> str:
    return markdown.plain((kind.__doc__ or "").partition("\n\n")[0])
