"""YAML and JSON that people write: strict, so that no value vanishes and none is taken for a different one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from nsmodels.core.errors import InputError

LARGEST = 2**20  # bytes of a configuration file
MOST_VALUES = 100_000  # in a document whose aliases are written out
INT, FLOAT, TIMESTAMP, MERGE = (f"tag:yaml.org,2002:{name}" for name in ("int", "float", "timestamp", "merge"))


class _Loader(yaml.SafeLoader):
    """YAML 1.2 numbers (1e-3 is one; 010, 1:30 and dates are text), booleans as PyYAML reads them."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rules if tag not in (INT, FLOAT, TIMESTAMP)]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(INT, re.compile(r"^[-+]?(?:0|[1-9][0-9_]*|0x[0-9a-fA-F]+)$"), list("-+0123456789"))
_Loader.add_implicit_resolver(
    FLOAT,
    re.compile(
        r"^(?:[-+]?(?:\.[0-9]+|[0-9][0-9_]*\.[0-9_]*)(?:[eE][-+]?[0-9]+)?|[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
    ),
    list("-+0123456789."),
)


def read_yaml(path: Path) -> dict[str, Any]:
    """Mapping in a YAML file; raises `InputError` for one that is missing, unreadable, ambiguous or no mapping."""
    values = parse_yaml(_read(path), str(path))
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in _keys(values)):
        raise InputError(f"{path}: expected a mapping of field names to values")
    return values


def as_yaml(values: Mapping[str, Any]) -> str:
    """A mapping of plain values as a YAML document that `read_yaml` reads."""
    return yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True, width=120)


def parse_yaml(text: str, where: str) -> Any:
    """The value of a YAML document; raises `InputError` naming `where`, for keys that occur twice also both lines."""
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            _count_values(node, {}, where)
            _require_distinct(node, "", {}, where)
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except RecursionError:
        raise InputError(f"{where}: nested too deeply; expected fields, or sections with fields") from None
    except (yaml.YAMLError, ValueError, KeyError, TypeError, OverflowError) as error:
        raise InputError(f"{where}: not valid YAML ({str(error)[:300]})") from None


def read_json(path: Path) -> Any:
    """Value in a JSON file; raises `InputError` for a file that is missing, unreadable or ambiguous."""
    return parse_json(_read(path), str(path))


def parse_json(text: str, where: str) -> Any:
    """The value of a JSON document; raises `InputError` naming `where`, also for a key that occurs twice."""

    def distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise InputError(f"{where}: '{twice}' is given twice; keep one of them")
        return found

    try:
        return json.loads(text, object_pairs_hook=distinct)
    except RecursionError:
        raise InputError(f"{where}: nested too deeply; expected fields, or sections with fields") from None
    except ValueError as error:
        shown = text if len(text) <= 80 else f"{text[:80]}..."
        raise InputError(f"{where}: not valid JSON ({error}), got {shown}") from None


def _read(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            content = stream.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise InputError(f"{path}: larger than {LARGEST // 2**20} MB; not a configuration file")
        return content.decode("utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{path}: no such configuration file") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: cannot be read as a configuration file ({error}); save it as UTF-8 text") from None
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL
        raise InputError(f"{path}: cannot be read as a configuration file ({error})") from None


def _count_values(node: yaml.Node, known: dict[int, int], where: str) -> int:
    """Number of values below a node, each alias counted in full."""
    if id(node) in known:
        if not known[id(node)]:
            raise InputError(f"{where}: the value in line {_line(node)} contains itself; write it out")
        return known[id(node)]
    known[id(node)] = 0  # not finished
    below = [each for pair in node.value for each in pair] if isinstance(node, yaml.MappingNode) else node.value
    number = 1 + sum(_count_values(each, known, where) for each in below if not isinstance(node, yaml.ScalarNode))
    if number > MOST_VALUES:
        raise InputError(f"{where}: more than {MOST_VALUES:,} values; not a configuration")
    known[id(node)] = number
    return number


def _require_distinct(node: yaml.Node, prefix: str, lines: dict[str, int], where: str) -> None:
    """Raise `InputError` for a field that is given twice, also once dotted and once nested."""
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if key.tag == MERGE or not isinstance(key, yaml.ScalarNode):
            continue
        name, line = f"{prefix}{key.value}", _line(key)
        if name in lines:
            raise InputError(f"{where}: '{name}' is given twice, in lines {lines[name]} and {line}; keep one of them")
        lines[name] = line
        _require_distinct(value, f"{name}.", lines, where)


def _line(node: yaml.Node) -> int:
    return node.start_mark.line + 1


def _keys(values: dict[Any, Any]) -> Iterator[Any]:
    for key, value in values.items():
        yield key
        if isinstance(value, dict):
            yield from _keys(value)
