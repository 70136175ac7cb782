"""Folders in CLEVR's format with one thing wrong: scenes, questions, programs, images."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.bad_inputs.case import Case, Place

PREPARE = ("clevr", "prepare", "--preset", "debug", "--source", "local", "--local-path", "in", "--out", "out")
TRAIN = ("visual", "train", "--preset", "debug", "--device", "cpu", "--data", "in", "--out", "out")
Tree = dict[str, Any]


def step(function: str, inputs: list[int], values: list[str] | None = None) -> Tree:
    return {"function": function, "inputs": inputs, "value_inputs": values or []}


def program(*steps: Tree) -> Callable[[Tree], object]:
    def to(question: Tree) -> None:
        question["program"] = list(steps)

    return to


def put(field: str, value: Any) -> Callable[[Tree], object]:
    def to(tree: Tree) -> None:
        tree[field] = value

    return to


def drop(field: str) -> Callable[[Tree], object]:
    def to(tree: Tree) -> None:
        del tree[field]

    return to


def thing(change: Callable[[Tree], Any]) -> Callable[[Tree], object]:
    """A change of the first object of a scene."""

    def to(scene: Tree) -> None:
        change(scene["objects"][0])

    return to


SCENES: dict[str, Callable[[Tree], Any]] = {
    "no objects": lambda scene: scene.update(objects=[], relationships={k: [] for k in scene["relationships"]}),
    "objects null": put("objects", None),
    "objects a mapping": put("objects", {"a": 1}),
    "objects of numbers": put("objects", [1, 2]),
    "objects missing": drop("objects"),
    "relationships null": put("relationships", None),
    "relationships missing": drop("relationships"),
    "relationships of strings": lambda s: s["relationships"].update(left=[["0"] for _ in s["objects"]]),
    "relationships too short": lambda s: s["relationships"].update(left=s["relationships"]["left"][:-1]),
    "relationships to no object": lambda s: s["relationships"].update(left=[[99] for _ in s["objects"]]),
    "relationships to a negative object": lambda s: s["relationships"].update(left=[[-1] for _ in s["objects"]]),
    "relationships of fractions": lambda s: s["relationships"].update(left=[[0.5] for _ in s["objects"]]),
    "relationships without behind": lambda s: s["relationships"].pop("behind"),
    "index a word": put("image_index", "first"),
    "index negative": put("image_index", -1),
    "index of no image": put("image_index", 999_999),
    "index missing": drop("image_index"),
    "file name of no image": put("image_filename", "CLEVR_train_999999.png"),
    "file name elsewhere": put("image_filename", "../../../etc/passwd"),
    "file name a number": put("image_filename", 3),
    "shape cone": thing(put("shape", "cone")),
    "color a number": thing(put("color", 3)),
    "size null": thing(put("size", None)),
    "material missing": thing(drop("material")),
    "coordinates of one number": thing(put("pixel_coords", [3])),
    "coordinates a word": thing(put("pixel_coords", "here")),
    "coordinates null": thing(put("pixel_coords", None)),
    "coordinates of words": thing(put("pixel_coords", ["a", "b", "c"])),
    "coordinates outside": thing(put("pixel_coords", [9_000, 3, 8.0])),
    "coordinates negative": thing(put("pixel_coords", [-50, 3, 8.0])),
    "coordinates nan": thing(put("pixel_coords", [float("nan"), 3, 8.0])),
    "coordinates missing": thing(drop("pixel_coords")),
}
QUESTIONS: dict[str, Callable[[Tree], Any]] = {
    "text missing": drop("question"),
    "text a number": put("question", 3),
    "text empty": put("question", ""),
    "answer null": put("answer", None),
    "answer unknown": put("answer", "maybe"),
    "answer a list": put("answer", ["yes"]),
    "answer wrong": lambda q: q.update(
        answer={"yes": "no", "no": "yes"}.get(str(q["answer"]), "yes" if str(q["answer"]).isdigit() else "3")
    ),
    "program null": put("program", None),
    "program empty": put("program", []),
    "program a word": put("program", "scene"),
    "image of no scene": put("image_index", 999_999),
    "image a word": put("image_index", "first"),
    "image missing": drop("image_index"),
    "exist of a number": program(step("scene", []), step("count", [0]), step("exist", [1])),
    "ends in a set": program(step("scene", [])),
    "ends in an object": program(step("scene", []), step("unique", [0])),
    "unknown function": program(step("scene", []), step("sum", [0])),
    "input of later": program(step("count", [1]), step("scene", [])),
    "input of itself": program(step("scene", []), step("count", [1])),
    "input negative": program(step("scene", []), step("count", [-2])),
    "input a word": program(step("scene", []), {"function": "count", "inputs": ["0"], "value_inputs": []}),
    "inputs missing": program(step("scene", []), step("count", [])),
    "inputs too many": program(step("scene", []), step("count", [0, 0])),
    "value unknown": program(step("scene", []), step("filter_color", [0], ["pink"]), step("count", [1])),
    "value missing": program(step("scene", []), step("filter_color", [0]), step("count", [1])),
    "value too many": program(step("scene", []), step("count", [0], ["red"])),
    "query of a set": program(step("scene", []), step("query_color", [0])),
    "relation of a set": program(step("scene", []), step("relate", [0], ["left"]), step("count", [1])),
    "comparison of unlike": program(step("scene", []), step("unique", [0]), step("equal_color", [0, 1])),
    "a step that is a word": program(step("scene", []), "count"),  # type: ignore[arg-type]
    "a step without a function": program(step("scene", []), {"inputs": [0], "value_inputs": []}),
}
WHOLE: dict[str, Callable[[Path], Any]] = {
    "scenes no json": lambda root: (root / "scenes/CLEVR_train_scenes.json").write_text("{"),
    "scenes a list": lambda root: (root / "scenes/CLEVR_train_scenes.json").write_text("[]"),
    "scenes empty": lambda root: (root / "scenes/CLEVR_train_scenes.json").write_text('{"scenes": []}'),
    "scenes a word": lambda root: (root / "scenes/CLEVR_train_scenes.json").write_text('{"scenes": "all"}'),
    "scenes deep": lambda root: (root / "scenes/CLEVR_train_scenes.json").write_text("[" * 100_000),
    "scenes binary": lambda root: (root / "scenes/CLEVR_train_scenes.json").write_bytes(bytes(range(256))),
    "scenes missing": lambda root: (root / "scenes/CLEVR_train_scenes.json").unlink(),
    "scenes twice": lambda root: edit(root, "scenes", lambda all_: all_.extend(all_[:3])),
    "questions empty": lambda root: (root / "questions/CLEVR_train_questions.json").write_text('{"questions": []}'),
    "questions no json": lambda root: (root / "questions/CLEVR_train_questions.json").write_text("nope"),
    "questions null": lambda root: (root / "questions/CLEVR_train_questions.json").write_text('{"questions": null}'),
    "an image is missing": lambda root: (root / "images/train/CLEVR_train_000001.png").unlink(),
    "an image is text": lambda root: (root / "images/train/CLEVR_train_000001.png").write_text("text"),
    "an image is cut": lambda root: cut(root / "images/train/CLEVR_train_000001.png"),
    "an image is empty": lambda root: (root / "images/train/CLEVR_train_000001.png").write_bytes(b""),
    "an image of another size": lambda root: resize(root / "images/train/CLEVR_train_000001.png"),
    "annotations of larger images": lambda root: edit(root, "scenes", enlarge),
    "each index twice": lambda root: edit(root, "scenes", double),
    "no images": lambda root: [path.unlink() for path in root.glob("images/*/*")],
}


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:200])


def resize(path: Path) -> None:
    from PIL import Image

    Image.open(path).resize((40, 30)).save(path)


def enlarge(scenes: list[Tree]) -> None:
    for scene in scenes:
        for one in scene["objects"]:
            one["pixel_coords"] = [4 * value for value in one["pixel_coords"]]


def double(scenes: list[Tree]) -> None:
    scenes += [{**scene, "image_index": scenes[i]["image_index"]} for i, scene in enumerate(scenes[1:] + scenes[:1])]


def edit(root: Path, kind: str, change: Callable[[list[Tree]], Any], split: str = "train") -> None:
    path = root / kind / f"CLEVR_{split}_{kind}.json"
    tree = json.loads(path.read_text())
    change(tree[kind])
    path.write_text(json.dumps(tree))


def cases() -> Iterator[Case]:
    for name, change in SCENES.items():
        yield from both(
            f"scene/{name}", lambda root, change=change: edit(root, "scenes", lambda all_: change(all_[2])), "scenes"
        )
    for name, change in QUESTIONS.items():
        yield from both(
            f"question/{name}",
            lambda root, change=change: edit(root, "questions", lambda all_: change(all_[5])),
            "questions",
        )
    for name, change in WHOLE.items():
        yield from both(f"clevr/{name}", change, "in")
    for name, change in (
        ("answers as the generator writes them", raw),
        ("a byte-order mark", mark),
        ("nodes with type", types),
    ):
        for verb, command in (("prepare", PREPARE), ("train", TRAIN)):
            yield Case(f"good clevr/{name}, {verb}", command, copied(change), is_good=True)


def both(name: str, change: Callable[[Path], Any], mention: str) -> Iterator[Case]:
    for verb, command in (("prepare", PREPARE), ("train", TRAIN)):
        yield Case(f"{name}, {verb}", command, copied(change), (mention,))


def copied(change: Callable[[Path], Any]) -> Callable[[Place], object]:
    def setup(place: Place) -> None:
        root = place.copy("clevr", "in")
        (root / "manifest.json").unlink()
        change(root)

    return setup


def raw(root: Path) -> None:
    for split in ("train", "val"):
        edit(root, "questions", lambda all_: [as_raw(question) for question in all_], split)


def as_raw(question: Tree) -> None:
    answer = question["answer"]
    question["answer"] = {"yes": True, "no": False}.get(answer, int(answer) if answer.isdigit() else answer)


def types(root: Path) -> None:
    for split in ("train", "val"):
        edit(
            root,
            "questions",
            lambda all_: [node.update(type=node.pop("function")) for q in all_ for node in q["program"]],
            split,
        )


def mark(root: Path) -> None:
    for path in [*root.glob("scenes/*.json"), *root.glob("questions/*.json")]:
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
