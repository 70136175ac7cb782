"""Configuration files and fields: every field of every configuration with values of other types, and broken YAML."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from typing import Any

from benchmarks.bad_inputs.case import Case, Place
from nsmodels.core import discover
from nsmodels.core.config import Config
from nsmodels.core.config.base import plain, section_of
from nsmodels.core.orders import DATA

GENERATE = ("mazes", "generate", "--preset", "debug", "--out", "out", "--config", "it.yaml")
WRONG = {
    int: {
        "yes": "yes",
        "a fraction": "1.5",
        "a word": "many",
        "10^23": str(10**23),
        "below": "-1000000",
        "a list": "[1]",
    },
    float: {"yes": "yes", "nan": ".nan", "infinite": ".inf", "a word": "much", "a mapping": "{a: 1}"},
    bool: {"a number": "7", "a word": "perhaps", "a list": "[true]"},
    str: {"a number": "5", "a list": "[a]"},
    list: {"a number": "5", "a list of lists": "[[[]]]", "nan": "[.nan]"},
}
FILES: dict[str, str | bytes] = {
    "duplicate section": "seed: 1\nsides: [8]\nseed: 2\n",
    "duplicate in a flow mapping": "{seed: 1, seed: 2}\n",
    "empty": "",
    "only a comment": "# nothing\n",
    "a list": "- seed\n- 1\n",
    "a word": "seed\n",
    "tabs": "seed:\n\t- 1\n",
    "not closed": "sides: [8\n",
    "binary": bytes(range(256)),
    "utf-16": "seed: 1\n".encode("utf-16"),
    "a tag": "seed: !!python/object/apply:os.system ['true']\n",
    "an unknown tag": "seed: !mine 1\n",
    "deep": "sides: " + "[" * 5_000 + "]" * 5_000 + "\n",
    "deep mapping": "".join(" " * i + "a:\n" for i in range(3_000)),
    "two documents": "seed: 1\n---\nseed: 2\n",
    "a number as name": "1: 2\n",
    "an unknown anchor": "seed: *one\n",
    "an endless anchor": "a: &a [*a]\n",
    "a date": "seed: 2020-01-01\n",
    "null": "seed: null\n",
    "unknown field": "seeds: 1\n",
    "unknown section": "training: {seed: 1}\n",
    "a section for a field": "seed: {value: 1}\n",
}


def cases() -> Iterator[Case]:
    for name, text in FILES.items():
        yield Case(f"yaml/{name}", GENERATE, lambda place, text=text: write(place, text), ("it.yaml",))
    yield Case("yaml/missing", GENERATE, mentions=("it.yaml",))
    yield Case("yaml/a folder", GENERATE, lambda place: (place.path / "it.yaml").mkdir(), ("it.yaml",))
    train = ("nav", "train", "--preset", "debug", "--data", "{world}/mazes", "--out", "out", "--config", "it.yaml")
    twice = "training: {epochs: 1}\ntraining: {batch_size: 4}\n"
    yield Case("yaml/a section twice", train, lambda place: write(place, twice), ("it.yaml", "training"))
    inner = "training: {epochs: 1, epochs: 2}\n"
    yield Case("yaml/a field twice in a section", train, lambda place: write(place, inner), ("it.yaml", "epochs"))
    for command, config in configured():
        for dotted, kind in fields(config):
            for what, value in WRONG.get(kind, {}).items():
                text = as_yaml(dotted, value)
                name = f"field/{command[0]} {command[1]}/{dotted} is {what}"
                yield Case(name, command, lambda place, text=text: write(place, text), (dotted.split(".")[-1],))


def write(place: Place, text: str | bytes) -> None:
    place.write("it.yaml", text)


def as_yaml(dotted: str, value: str) -> str:
    section, _, name = dotted.rpartition(".")
    return f"{section}: {{{name}: {value}}}\n" if section else f"{name}: {value}\n"


def configured() -> Iterator[tuple[tuple[str, ...], type[Config]]]:
    """The commands that take a configuration file, and its class."""
    file = ("--config", "it.yaml")
    for name in discover.datasets():
        verb = "prepare" if name == "clevr" else "generate"
        presets = discover.module("datasets", name, "config").PRESETS
        yield (name, verb, "--preset", "debug", "--out", "out", *file), type(presets["debug"]())
    for name in discover.systems():
        stage = discover.system(name).stages[0]
        folder = {"nav": "mazes", "visual": "clevr"}.get(name, DATA)
        command = (name, "train", "--preset", "debug", "--data", f"{{world}}/{folder}", "--out", "out", *file)
        yield command, type(stage.presets["debug"]())


def fields(config: type[Config], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every field by dotted name, with its plain type."""
    for name, info in config.model_fields.items():
        section = section_of(info)
        if section:
            yield from fields(section, f"{name}.")
        else:
            kind = plain(info.annotation)
            yield f"{prefix}{name}", typing.get_origin(kind) or kind
