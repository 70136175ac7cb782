"""Sealed artifacts that were changed, replaced or taken for something else; checkpoints that are none."""

from __future__ import annotations

import io
import json
import os
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from benchmarks.bad_inputs.case import Case, Place

SCORE = ("nav", "evaluate", "--checkpoint", "nav", "--data", "{world}/mazes")
LOOK = ("visual", "evaluate", "--checkpoint", "visual", "--data", "{world}/clevr", "--device", "cpu")
NAV = ("nav", "train", "--preset", "debug", "--device", "cpu", "--out", "out", "--data")
VISUAL = ("visual", "train", "--preset", "debug", "--device", "cpu", "--out", "out", "--data")
GENERATE = ("mazes", "generate", "--preset", "debug", "--seed", "5", "--out")


class Attack:
    """A pickle that runs a command when it is loaded."""

    def __reduce__(self):
        return os.system, ("touch attacked",)


def weights(change: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[Path], object]:
    """A checkpoint with changed weights, in the form of the original."""

    def to(path: Path) -> None:
        payload = torch.load(path, weights_only=True)
        state = payload["model_state_dict"]
        name = next(name for name, value in state.items() if value.is_floating_point() and value.numel() > 8)
        state[name] = change(state[name])
        torch.save(payload, path)

    return to


def flip(path: Path, where: float = 0.5) -> None:
    content = bytearray(path.read_bytes())
    content[int(len(content) * where)] ^= 1
    path.write_bytes(bytes(content))


def saved(value: object) -> Callable[[Path], object]:
    def to(path: Path) -> None:
        stream = io.BytesIO()
        torch.save(value, stream)
        path.write_bytes(stream.getvalue())

    return to


CHECKPOINTS: dict[str, Callable[[Path], object]] = {
    "zeroed": weights(torch.zeros_like),
    "nan": weights(lambda value: torch.full_like(value, float("nan"))),
    "infinite": weights(lambda value: torch.full_like(value, float("inf"))),
    "of another shape": weights(lambda value: value.flatten()[:3]),
    "a flipped bit": flip,
    "a flipped bit near the end": lambda path: flip(path, 0.99),
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "text": lambda path: path.write_bytes(b"no checkpoint"),
    "a list": saved([1, 2]),
    "a mapping of nothing": saved({}),
    "weights of nothing": saved({"model_state_dict": {}, "config": {}}),
    "a pickle that runs a command": lambda path: path.write_bytes(pickle.dumps(Attack())),
    "a checkpoint that runs a command": saved(Attack()),
    "missing": lambda path: path.unlink(),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "an array": lambda path: np.save(path.open("wb"), np.zeros(3)),
}
MANIFESTS: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_text(""),
    "no json": lambda path: path.write_text("{"),
    "a list": lambda path: path.write_text("[]"),
    "of somebody's": lambda path: path.write_text("{}"),
    "with a wrong type": lambda path: change(path, "files", 3),
    "with an unknown maker": lambda path: change(path, "maker", "nsmodels.systems.nope"),
}


def change(path: Path, field: str, value: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | {field: value}))


def altered(name: str, alter: Callable[[Path], object], pattern: str) -> Callable[[Place], object]:
    """A copy of a shared artifact in which each file of `pattern` is changed."""

    def setup(place: Place) -> None:
        for path in sorted(place.copy(name).glob(pattern)):
            alter(path)

    return setup


def cases() -> Iterator[Case]:
    for name, alter in CHECKPOINTS.items():
        for model, command, phase in (("nav", SCORE, "navigator"), ("visual", LOOK, "perception")):
            setup = altered(model, alter, f"{phase}/best.pt")
            yield Case(f"checkpoint/{model}: {name}", command, setup, ("best.pt",))
    for name, alter in MANIFESTS.items():
        yield Case(f"manifest/model: {name}", SCORE, altered("nav", alter, "manifest.json"), ("nav",))
        if name != "with an unknown maker":
            yield Case(f"manifest/data: {name}", (*NAV, "mazes"), altered("mazes", alter, "manifest.json"), ("mazes",))
            generate = (*GENERATE, "nav")
            yield Case(f"manifest/replaced: {name}", generate, altered("nav", alter, "manifest.json"), ("nav",))
    yield from changed_data()
    yield from replaced()


def changed_data() -> Iterator[Case]:
    for pattern in ("cells.bits", "*.parquet"):
        for where in (0.2, 0.8):
            setup = altered("mazes", lambda path, where=where: flip(path, where), pattern)
            yield Case(f"data/a byte of {pattern} at {where}", (*NAV, "mazes"), setup, ("mazes/",))
        yield Case(f"data/{pattern} missing", (*NAV, "mazes"), altered("mazes", Path.unlink, pattern), ("mazes/",))
    for pattern in ("images/val/*0.png", "scenes/*val*.json", "questions/*train*.json"):
        setup = altered("clevr", flip, pattern)
        yield Case(f"data/a byte of {pattern}", (*VISUAL, "clevr"), setup, ("clevr/",))
        yield Case(f"data/{pattern} missing", (*VISUAL, "clevr"), altered("clevr", Path.unlink, pattern), ("clevr/",))
    setup = altered("clevr", lambda path: path.write_bytes(b""), "images/train/*1.png")
    yield Case("data/empty images", (*VISUAL, "clevr"), setup, ("clevr/",))
    score = ("nav", "evaluate", "--checkpoint", "{world}/nav", "--data", "mazes")
    yield Case("data/scored after a change", score, altered("mazes", flip, "cells.bits"), ("cells.bits",))
    show = ("mazes", "show", "--data", "mazes")
    yield Case("data/shown after a change", show, altered("mazes", flip, "cells.bits"), ("cells.bits",))
    yield Case("verify/a change", ("verify", "mazes"), in_root("mazes", "cells.bits"), ("cells.bits",), status=1)
    yield Case("verify/all", ("verify", "--all"), in_root("mazes", "cells.bits"), ("cells.bits",), status=1)
    yield Case("verify/a model", ("verify", "nav"), in_root("nav", "navigator/best.pt"), ("best.pt",), status=1)
    yield Case("verify/unchanged", ("verify", "mazes"), lambda place: place.copy("mazes", "data/mazes"), is_good=True)


def in_root(name: str, pattern: str) -> Callable[[Place], object]:
    """An artifact in the data root with a changed file."""

    def setup(place: Place) -> None:
        for path in place.copy(name, f"data/{name}").glob(pattern):
            flip(path)

    return setup


def replaced() -> Iterator[Case]:
    """Results in place of something else."""
    both = {"mazes": GENERATE, "clevr": ("clevr", "prepare", "--preset", "debug", "--seed", "5", "--out")}
    for maker, command in both.items():
        for victim in ("nav", "visual", "mazes", "clevr"):
            if victim != maker:
                yield Case(
                    f"replace/{victim} by {maker}",
                    (*command, victim),
                    lambda place, v=victim: place.copy(v),
                    (victim,),
                )
    own = "thesis.tex"
    for victim, command in (
        ("mazes", (*GENERATE, "mazes")),
        ("nav", (*NAV[:-3], "--epochs", "1", "--out", "nav", "--data", "{world}/mazes")),
    ):

        def setup(place: Place, victim: str = victim) -> None:
            (place.copy(victim) / own).write_text("years of work")

        yield Case(f"replace/{victim} with a file of somebody's", command, setup, (own,))
    for name, out in (("the data", "mazes"), ("a part of the data", "mazes/model"), ("around the data", ".")):
        command = (*NAV[:-3], "--out", out, "--data", "mazes")
        yield Case(f"replace/{name} by their model", command, lambda place: place.copy("mazes"), ("mazes",))
    link = (*NAV[:-3], "--out", "link", "--data", "mazes")

    def linked(place: Place) -> None:
        place.copy("mazes")
        (place.path / "link").symlink_to("mazes")

    yield Case("replace/the data behind a link", link, linked, ("link",))
