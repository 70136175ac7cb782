"""The released tree: what is read, what is refused and in which words, how it is written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr.files import format as tree

OFFICIAL = Path(__file__).parents[2] / "data" / "clevr_official" / "CLEVR_v1.0"
SCENES, QUESTIONS = "scenes/CLEVR_val_scenes.json", "questions/CLEVR_val_questions.json"
IMAGE = "images/val/CLEVR_train_000614.png"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A writable copy of the official sample."""
    copy = tmp_path / "CLEVR_v1.0"
    shutil.copytree(OFFICIAL, copy, copy_function=shutil.copyfile)
    return copy


def change(path: Path, edit: Callable[[list[dict[str, Any]]], Any]) -> None:
    """Edit the records of a scene or question file in place."""
    content = json.loads(path.read_text())
    edit(content["scenes"] if "scenes" in content else content["questions"])
    path.write_text(json.dumps(content))


def test_official_sample_is_whole() -> None:
    assert tree.splits(OFFICIAL) == ["train", "val"]
    check = tree.check_split(OFFICIAL, "val")
    assert (len(check.images), check.num_questions) == (2, 20)
    scenes = tree.read_scenes(OFFICIAL, "val")
    assert [tree.verify_image(tree.image_path(OFFICIAL, "val", scene)) for scene in scenes] == [(480, 320)] * 2


def test_written_files_equal_the_released_ones_to_the_key_order(tmp_path: Path) -> None:
    for name, write, released in (
        ("questions", tree.write_questions, OFFICIAL / QUESTIONS),
        ("scenes", tree.write_scenes, OFFICIAL / SCENES),
    ):
        content = json.loads(released.read_text())
        shuffled = [dict(sorted(record.items())) for record in content[name]]
        written = write(tmp_path, "val", shuffled, info=content["info"])
        assert json.dumps(json.loads(written.read_text())) == json.dumps(content)


def test_dialect_of_the_public_generator_is_understood(root: Path) -> None:
    expected = tree.read_questions(root, "val")

    def to_dialect(questions: list[dict[str, Any]]) -> None:
        for node in (node for question in questions for node in question["program"]):
            node |= {"type": node.pop("function"), "side_inputs": node.pop("value_inputs"), "_output": [1]}

    change(root / QUESTIONS, to_dialect)
    assert tree.read_questions(root, "val") == expected


def test_test_split_can_be_read_but_not_scored(root: Path) -> None:
    def withhold(questions: list[dict[str, Any]]) -> None:
        for question in questions:
            for key in ("program", "answer", "question_family_index"):
                del question[key]

    change(root / QUESTIONS, withhold)
    assert len(tree.read_questions(root, "val", answered=False)) == 20
    with pytest.raises(InputError, match=r"questions\[0\]: has no answer or program.*use val"):
        tree.read_questions(root, "val")


def drop(*path: str | int) -> Callable[[list[Any]], None]:
    def edit(records: Any) -> None:
        for key in path[:-1]:
            records = records[key]
        del records[path[-1]]

    return edit


def put(value: Any, *path: str | int) -> Callable[[list[Any]], None]:
    def edit(records: Any) -> None:
        for key in path[:-1]:
            records = records[key]
        records[path[-1]] = value

    return edit


def stranger(number: int) -> Callable[[list[Any]], None]:
    return lambda records: records[number].update(image_index=12345, image_filename="CLEVR_val_012345.png")


@pytest.mark.parametrize(
    ("file", "edit", "message"),
    [
        (SCENES, drop(1, "objects"), r"CLEVR_val_scenes.json: scenes\[1\]: field 'objects' is missing"),
        (SCENES, drop(0, "objects", 2, "3d_coords"), r"scenes\[0\]: objects\[2\]: field '3d_coords' is missing"),
        (SCENES, put("pink", 0, "objects", 0, "color"), r"objects\[0\]: field 'color': expected one of .*got 'pink'"),
        (SCENES, drop(0, "relationships", "left"), r"scenes\[0\]: relationships: field 'left' is missing"),
        (SCENES, put([[99]], 0, "relationships", "left"), r"field 'left': expected \d+ lists of object numbers"),
        (QUESTIONS, drop(3, "question"), r"questions\[3\]: field 'question' is missing"),
        (QUESTIONS, put("maybe", 3, "answer"), r"questions\[3\]: field 'answer': expected .*got 'maybe'"),
        (QUESTIONS, put([], 3, "program"), r"questions\[3\]: field 'program': expected a list"),
        (QUESTIONS, put("paint", 3, "program", 1, "function"), r"node 1: .*unknown function 'paint'"),
        (QUESTIONS, put([5], 3, "program", 1, "inputs"), r"node 1 .*: field 'inputs': \[5\] do not fit"),
        (QUESTIONS, put(["odd"], 3, "program", 1, "value_inputs"), r"node 1 .*unknown value \['odd'\]"),
        (QUESTIONS, put(7, 4), r"questions\[4\]: expected an object, got int"),
        (
            QUESTIONS,
            put(12345, 4, "image_index"),
            r"questions\[4\]: fields 'image_index' and 'image_filename' differ: 12345",
        ),
        (QUESTIONS, stranger(4), r"questions\[4\]: image_index 12345 has no scene"),
    ],
)
def test_a_broken_record_is_named(root: Path, file: str, edit: Callable, message: str) -> None:
    change(root / file, edit)
    with pytest.raises(InputError, match=message) as caught:
        tree.check_split(root, "val")
    assert "\n" not in str(caught.value)


def test_a_cut_off_file_is_named_with_the_position(root: Path) -> None:
    whole = (root / QUESTIONS).read_text()
    (root / QUESTIONS).write_text(whole[:5000])
    with pytest.raises(InputError, match=r"CLEVR_val_questions.json: broken or cut off at .*character \d+"):
        tree.read_questions(root, "val")


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (SCENES, "CLEVR_val_scenes.json: no such file; make the dataset first"),
        (QUESTIONS, "CLEVR_val_questions.json: no such file"),
        (IMAGE, "CLEVR_train_000614.png: no such image, though .*CLEVR_val_scenes.json lists it"),
    ],
)
def test_a_missing_file_is_named_with_the_remedy(root: Path, file: str, message: str) -> None:
    (root / file).unlink()
    with pytest.raises(InputError, match=message):
        tree.check_split(root, "val")


def test_another_json_file_is_not_taken_for_scenes(root: Path) -> None:
    shutil.copyfile(root / QUESTIONS, root / SCENES)
    with pytest.raises(InputError, match="expected an object with a list 'scenes'"):
        tree.read_scenes(root, "val")


@pytest.mark.parametrize("damage", [lambda data: data[:-2000], lambda data: b"<html>404</html>", lambda data: b""])
def test_a_corrupt_image_is_named(root: Path, damage: Callable[[bytes], bytes]) -> None:
    image = root / IMAGE
    image.write_bytes(damage(image.read_bytes()))
    with pytest.raises(InputError, match=r"CLEVR_train_000614.png: cannot be decoded .*; replace it by a whole image"):
        tree.verify_image(image)


def test_writing_leaves_nothing_but_the_file(tmp_path: Path) -> None:
    written = tree.write_questions(tmp_path, "val", [])
    assert [path.name for path in written.parent.iterdir()] == ["CLEVR_val_questions.json"]
