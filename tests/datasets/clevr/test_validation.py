"""Data that are wrong somewhere are refused alike by `prepare` and by what trains or scores: file, item, field."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from nsmodels.core import artifact
from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr import checks
from nsmodels.datasets.clevr.config import debug
from nsmodels.datasets.clevr.files.format import read_questions, read_scenes, training_splits, verify_image
from nsmodels.datasets.clevr.files.schema import answer_text
from nsmodels.datasets.clevr.look import contact_sheet, distributions
from nsmodels.datasets.clevr.prepare import prepare
from nsmodels.datasets.clevr.programs import normalise
from nsmodels.datasets.clevr.validation import image_size, is_validated, require_valid, validate

OFFICIAL = Path(__file__).parents[2] / "data" / "clevr_official" / "CLEVR_v1.0"
SIZES = {"num_train": 6, "num_val": 3}
SCENES, QUESTIONS = "scenes/CLEVR_train_scenes.json", "questions/CLEVR_train_questions.json"
IMAGE = "images/train/CLEVR_train_000001.png"
Records = list[dict[str, Any]]


@pytest.fixture(scope="module")
def twin(tmp_path_factory) -> Path:
    """Nine small synthetic images with questions, sealed."""
    folder = tmp_path_factory.mktemp("twin") / "clevr"
    prepare(debug().with_values(SIZES), "clevr", folder)
    return folder


@pytest.fixture
def plain(twin: Path, tmp_path: Path) -> Path:
    """A copy without its seal, to be harmed."""
    shutil.copytree(twin, tmp_path / "mine")
    (tmp_path / "mine" / artifact.MANIFEST).unlink()
    return tmp_path / "mine"


def prepared(place: Path, out: Path, **values: Any) -> artifact.Manifest:
    config = debug().with_values({"source": "local", "local_path": str(place), **SIZES, **values})
    return prepare(config, "mine", out)


def in_file(name: str, change: Callable[[Records], Any]) -> Callable[[Path], None]:
    def harm(root: Path) -> None:
        content = json.loads((root / name).read_text())
        change(content[name.partition("/")[0]])
        (root / name).write_text(json.dumps(content))

    return harm


def scene(change: Callable[[dict], Any], number: int = 2) -> Callable[[Path], None]:
    return in_file(SCENES, lambda records: change(records[number]))


def thing(**values: Any) -> Callable[[Path], None]:
    return scene(lambda record: record["objects"][0].update(values))


def related(rows: Any) -> Callable[[Path], None]:
    """The relation `left`: rows, or a function of those that are there."""
    return scene(lambda r: r["relationships"].update(left=rows(r["relationships"]["left"]) if callable(rows) else rows))


def question(number: int = 5, **values: Any) -> Callable[[Path], None]:
    return in_file(QUESTIONS, lambda records: records[number].update(values))


def program(*steps: tuple) -> Callable[[Path], None]:
    return question(program=[step(*each) for each in steps])


def step(function: Any, inputs: Any = (), values: Any = ()) -> dict[str, Any]:
    listed = [list(value) if isinstance(value, tuple) else value for value in (inputs, values)]
    return {"function": function, "inputs": listed[0], "value_inputs": listed[1]}


def text(name: str, content: str | bytes) -> Callable[[Path], None]:
    def harm(root: Path) -> None:
        (root / name).write_bytes(content if isinstance(content, bytes) else content.encode())

    return harm


def wrong_answer(records: Records) -> None:
    answer = records[5]["answer"]
    records[5]["answer"] = {"yes": "no", "no": "yes"}.get(answer, "9" if answer.isdigit() else "yes")


def larger(records: Records) -> None:
    for thing in (thing for record in records for thing in record["objects"]):
        thing["pixel_coords"] = [4 * value for value in thing["pixel_coords"]]


def smaller(records: Records) -> None:
    for thing in (thing for record in records for thing in record["objects"]):
        thing["pixel_coords"] = [value / 4 for value in thing["pixel_coords"]]


def twice(records: Records) -> None:
    """Two runs of a generator joined: each index twice."""
    records += [{**r, "image_index": records[i]["image_index"]} for i, r in enumerate(records[1:] + records[:1])]


def again(records: Records) -> None:
    records += [dict(record) for record in records]


def resized(root: Path) -> None:
    Image.open(root / IMAGE).resize((40, 30)).save(root / IMAGE)


def halved(root: Path) -> None:
    (root / IMAGE).write_bytes((root / IMAGE).read_bytes()[:300])


S, Q = r"CLEVR_train_scenes\.json: scenes\[2\]: ", r"CLEVR_train_questions\.json: questions\[5\]: "
HARMS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "no objects": (scene(lambda r: r.update(objects=[])), S + "field 'objects': expected a list of at least one"),
    "objects null": (scene(lambda r: r.update(objects=None)), S + "field 'objects': .*got None"),
    "objects of numbers": (scene(lambda r: r.update(objects=[1])), S + r"objects\[0\]: expected an object, got int"),
    "shape cone": (thing(shape="cone"), S + r"objects\[0\]: field 'shape': expected one of cube, .*got 'cone'"),
    "color a list": (thing(color=["red"]), S + r"objects\[0\]: field 'color'.*got \['red'\]"),
    "one coordinate": (thing(pixel_coords=[3]), S + r"objects\[0\]: field 'pixel_coords': expected 2 or 3 finite"),
    "nan": (thing(pixel_coords=[float("nan"), 1, 2]), S + r"objects\[0\]: field 'pixel_coords': .*got \[nan"),
    "infinite": (thing(**{"3d_coords": [float("inf"), 1, 2]}), S + r"objects\[0\]: field '3d_coords': .*got \[inf"),
    "coordinates of strings": (thing(pixel_coords=["3", "4"]), S + r"objects\[0\]: field 'pixel_coords'"),
    "coordinates true": (thing(pixel_coords=[True, 4]), S + r"objects\[0\]: field 'pixel_coords'"),
    "outside": (thing(pixel_coords=[900, 3, 1]), S + r"objects\[0\]: field 'pixel_coords': \(900, 3\) is outside"),
    "negative": (thing(pixel_coords=[-9, 3, 1]), S + r"objects\[0\]: field 'pixel_coords': \(-9, 3\) is outside"),
    "relations of strings": (related(lambda rows: [[str(i) for i in r] or ["0"] for r in rows]), S + ".*field 'left'"),
    "relations of truths": (related(lambda rows: [[True] for _ in rows]), S + ".*field 'left'"),
    "relations null": (related(None), S + "relationships: field 'left': expected"),
    "relations of numbers": (related([1, 2, 3]), S + "relationships: field 'left': expected"),
    "relation to itself": (related(lambda rows: [[i] for i, _ in enumerate(rows)]), S + ".*each of other objects"),
    "relation twice": (related(lambda rows: [[len(rows) - 1] * 2, *rows[1:]]), S + ".*row 0 has an object twice"),
    "relations a list": (
        scene(lambda r: r.update(relationships=[])),
        S + "relationships: expected an object, got list",
    ),
    "index a word": (scene(lambda r: r.update(image_index="2")), S + "field 'image_index': expected a number"),
    "index true": (scene(lambda r: r.update(image_index=True)), S + "field 'image_index': expected a number"),
    "index of another file": (
        scene(lambda r: r.update(image_index=4)),
        S + "fields 'image_index' and 'image_filename'",
    ),
    "file elsewhere": (
        scene(lambda r: r.update(image_filename="../x.png")),
        S + "field 'image_filename': expected the",
    ),
    "a scene null": (in_file(SCENES, lambda r: r.insert(2, None)), S + "expected an object, got NoneType"),  # type: ignore[arg-type]
    "larger annotations": (in_file(SCENES, larger), r"scenes\[\d\]: objects.*were the images made smaller"),
    "smaller annotations": (
        in_file(SCENES, smaller),
        "field 'pixel_coords': all objects are in the upper left quarter",
    ),
    "two runs joined": (in_file(SCENES, twice), r"scenes\[6\]: fields 'image_index' and 'image_filename' differ"),
    "scenes twice": (in_file(SCENES, again), r"scenes\[6\]: field 'image_index': 0 is also that of item 0"),
    "questions twice": (
        in_file(QUESTIONS, again),
        r"questions\[24\]: field 'question_index': 0 is also that of item 0",
    ),
    "scenes and questions swapped": (text(SCENES, '{"questions": []}'), "expected an object with a list 'scenes'"),
    "empty scenes": (text(SCENES, '{"scenes": []}'), "CLEVR_train_scenes.json"),
    "empty questions": (text(QUESTIONS, '{"questions": []}'), "CLEVR_train_questions.json: has no questions"),
    "questions null": (text(QUESTIONS, '{"questions": null}'), "field 'questions': expected a list"),
    "questions listed twice": (text(QUESTIONS, '{"questions": [], "questions": []}'), "the field 'questions' twice"),
    "more behind the end": (text(QUESTIONS, '{"questions": []} {}'), "expected the end of the file, found"),
    "deep": (text(SCENES, '{"scenes": ' + "[" * 200_000), r"scenes\[0\]|nested too deeply"),
    "deep record": (text(SCENES, '{"scenes": [{"a": ' + "[" * 200_000), "nested too deeply"),
    "a long number": (text(SCENES, '{"scenes": [{"a": ' + "1" * 9_000 + "}]}"), "a number of thousands of digits"),
    "blanks": (text(SCENES, '{"scenes": [' + " " * (40 << 20)), "millions of blanks"),
    "binary": (text(SCENES, bytes(range(256))), "is not UTF-8 text"),
    "utf-16": (text(SCENES, '{"scenes": []}'.encode("utf-16")), "is not UTF-8 text"),
    "text a number": (question(question=3), Q + "field 'question': expected a text with words, got 3"),
    "text without words": (question(question=" ?! "), Q + "field 'question': expected a text with words"),
    "answer null": (question(answer=None), Q + "field 'answer': expected a number up to 10, .*got None"),
    "answer a fraction": (question(answer=1.5), Q + "field 'answer': .*got 1.5"),
    "answer too many": (question(answer=11), Q + "field 'answer': .*got '11'"),
    "answer wrong": (in_file(QUESTIONS, wrong_answer), Q + "field 'answer': .* 1 of 24 answers are wrong"),
    "image of no scene": (
        question(image_index=77, image_filename="CLEVR_train_000077.png"),
        Q + "image_index 77 has no",
    ),
    "another image": (question(image_filename="other.png"), Q + "field 'image_filename': 'other.png', but the scene"),
    "index of a question": (question(question_index="5"), Q + "field 'question_index': expected a number"),
    "exist of a number": (
        program(("scene",), ("count", (0,)), ("exist", (1,))),
        Q + r"program node 2 \(exist\): field 'inputs': takes a set, but node 1 gives a number",
    ),
    "ends in a set": (program(("scene",)), Q + r"program node 0 \(scene\): the program ends in a set"),
    "ends in an object": (program(("scene",), ("unique", (0,))), Q + r".*the program ends in one object"),
    "input of later": (program(("count", (1,)), ("scene",)), Q + r"program node 0 \(count\): field 'inputs': \[1\]"),
    "input negative": (program(("scene",), ("count", (-1,))), Q + r"program node 1 \(count\): field 'inputs': \[-1\]"),
    "input a word": (program(("scene",), ("count", ("0",))), Q + r"program node 1 \(count\): field 'inputs': \['0'\]"),
    "input true": (program(("scene",), ("count", (False,))), Q + r"program node 1 \(count\): field 'inputs'"),
    "inputs null": (program(("scene",), ("count", None)), Q + r"program node 1 \(count\): field 'inputs': None"),
    "too many inputs": (program(("scene",), ("count", (0, 0))), Q + r"program node 1 \(count\): .*expected 1 numbers"),
    "value missing": (program(("scene",), ("filter_color", (0,)), ("count", (1,))), Q + ".*expected one color"),
    "value of another": (program(("scene",), ("filter_color", (0,), ("cube",)), ("count", (1,))), Q + ".*'cube'"),
    "value too many": (program(("scene",), ("count", (0,), ("red",))), Q + r".*unknown value \['red'\], expected none"),
    "value a list": (
        program(("scene",), ("filter_color", (0,), [["red"]]), ("count", (1,))),
        Q + ".*expected one color",
    ),
    "function a list": (program((["scene"],)), Q + r"program node 0: field 'function': unknown function \['scene'\]"),
    "comparison of unlike": (
        program(("scene",), ("count", (0,)), ("query_color", (0,)), ("equal_integer", (1, 2))),
        Q + r"program node 2 \(query_color\): field 'inputs': takes one object, but node 0 gives a set",
    ),
    "two names": (
        question(program=[{**step("scene"), "type": "count"}]),
        Q + "program node 0.*fields 'function' and 'type' differ",
    ),
    "a tree without end": (
        program(("scene",), *(("union", (n, n)) for n in range(60)), ("count", (60,))),
        Q + r"program node \d+ \(union\): its inputs are shared so often",
    ),
    "an image is cut": (halved, r"CLEVR_train_000001\.png: cannot be decoded"),
    "an image is text": (text(IMAGE, "text"), r"CLEVR_train_000001\.png: cannot be decoded"),
    "an image of another size": (resized, r"CLEVR_train_000001\.png: 40x30 pixels, but .*000000\.png has 96x64"),
    "an image is missing": (lambda root: (root / IMAGE).unlink(), r"CLEVR_train_000001\.png: (no such image|missing)"),
}


DECODED = {"an image is cut"}  # its header is whole: found when images are decoded, before the first epoch


@pytest.mark.parametrize("name", HARMS)
def test_prepare_and_training_refuse_the_same(plain: Path, tmp_path: Path, name: str) -> None:
    harm, message = HARMS[name]
    harm(plain)
    out = tmp_path / "out"
    attempts = [lambda: prepared(plain, out), lambda: require_valid(plain, ("train", "val"))]
    for attempt in attempts[: 1 if name in DECODED else 2]:
        with pytest.raises(InputError, match=message) as caught:
            attempt()
        assert "\n" not in str(caught.value)
        assert str(plain) in str(caught.value)
        assert "delete" not in str(caught.value)
        assert not out.exists()


def test_whole_data_pass_and_what_is_sealed_is_read_by_everything(plain: Path, tmp_path: Path) -> None:
    assert validate(plain, "train").num_questions == 24
    made = prepared(plain, tmp_path / "out")
    assert made.metrics["validated"] is True
    assert is_validated(tmp_path / "out")
    require_valid(tmp_path / "out", ("train", "val"))
    assert checks.schema(tmp_path / "out") + checks.images(tmp_path / "out") + checks.answers(tmp_path / "out") == []


def test_the_official_sample_is_valid(tmp_path: Path) -> None:
    assert [validate(OFFICIAL, split).num_questions for split in ("train", "val")] == [60, 20]
    made = prepared(OFFICIAL, tmp_path / "out", num_val=2)
    assert made.source == "local data, not verified as CLEVR v1.0"


def test_a_seal_of_others_is_no_validation(plain: Path, tmp_path: Path) -> None:
    assert not is_validated(plain)
    in_file(QUESTIONS, wrong_answer)(plain)
    with artifact.build(tmp_path / "sealed", key="k", maker="tests", config={}, code_version="1", source="x") as part:
        shutil.copytree(plain, part.path, dirs_exist_ok=True)
    assert not is_validated(tmp_path / "sealed")
    with pytest.raises(InputError, match="1 of 24 answers are wrong"):
        require_valid(tmp_path / "sealed", ("train",))


# --- dialects ----------------------------------------------------------------------------------------------------


def raw(answer: str) -> object:
    """The answer as the public generator writes it."""
    return {"yes": True, "no": False}.get(answer, int(answer) if answer.isdigit() else answer)


def test_answers_of_the_public_generator_are_read(plain: Path, tmp_path: Path) -> None:
    expected = read_questions(plain, "train")
    for split in ("train", "val"):
        name = f"questions/CLEVR_{split}_questions.json"
        in_file(name, lambda records: [r.update(answer=raw(r["answer"])) for r in records])(plain)
    assert read_questions(plain, "train") == expected
    prepared(plain, tmp_path / "out")
    assert read_questions(tmp_path / "out", "train") == expected
    assert checks.answers(tmp_path / "out") == []
    assert [answer_text(a) for a in (True, False, 3, 0, 1, "red", None)] == ["yes", "no", "3", "0", "1", "red", None]


def test_a_byte_order_mark_and_other_alphabets_are_read(plain: Path, tmp_path: Path) -> None:
    expected = read_scenes(plain, "train")
    question(question="Wie viele größere Würfel gibt es?")(plain)
    for path in [*plain.glob("scenes/*.json"), *plain.glob("questions/*.json")]:
        content = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8-sig")
    require_valid(plain, ("train", "val"))
    prepared(plain, tmp_path / "out")
    assert read_scenes(tmp_path / "out", "train") == expected
    assert read_questions(tmp_path / "out", "train")[5]["question"] == "Wie viele größere Würfel gibt es?"


def test_an_error_in_a_file_of_many_lines_has_line_and_column(plain: Path) -> None:
    content = json.dumps(json.loads((plain / SCENES).read_text()), indent=1).splitlines()
    content[40] = "  oops"
    (plain / SCENES).write_text("\n".join(content))
    with pytest.raises(InputError, match=r"CLEVR_train_scenes.json: broken or cut off at line 41 column 3 \(character"):
        read_scenes(plain, "train")


def test_programs_of_both_dialects_are_the_same() -> None:
    steps = [step("scene"), step("filter_color", (0,), ("red",)), step("count", (1,))]
    dialect = [{"type": s["function"], "inputs": s["inputs"], "side_inputs": s["value_inputs"]} for s in steps]
    assert normalise(dialect) == normalise(steps) == steps


# --- splits of any name ------------------------------------------------------------------------------------------


def renamed(root: Path, names: dict[str, str]) -> None:
    """The splits under other names, as in CLEVR-CoGenT."""
    for old, new in names.items():
        for kind in ("scenes", "questions"):
            path = root / kind / f"CLEVR_{old}_{kind}.json"
            path.write_text(path.read_text().replace(f"CLEVR_{old}_", f"CLEVR_{new}_"))
            path.rename(path.with_name(f"CLEVR_{new}_{kind}.json"))
        (root / "images" / old).rename(root / "images" / new)
        for image in (root / "images" / new).iterdir():
            image.rename(image.with_name(image.name.replace(f"CLEVR_{old}_", f"CLEVR_{new}_")))


def test_splits_of_cogent_are_prepared_checked_and_shown(plain: Path, tmp_path: Path) -> None:
    renamed(plain, {"train": "trainA", "val": "valA"})
    for kind in ("scenes", "questions", "images"):
        source = plain / kind
        for path in list(source.glob("*valA*")):
            copy = path.with_name(path.name.replace("valA", "valB"))
            shutil.copytree(path, copy) if path.is_dir() else shutil.copyfile(path, copy)
    assert training_splits(plain) == ("trainA", "valA")
    with pytest.raises(InputError, match=r"no split 'val' .*valA, valB"):
        training_splits(plain, train="trainA", val="val")
    values = {"train_split": "trainA", "val_split": "valB", "more_splits": ["valA"], "num_val": 2}
    made = prepared(plain, tmp_path / "out", **values)
    assert (made.config["val_split"], made.metrics["num_images"]) == ("valB", 10)
    assert training_splits(tmp_path / "out") == ("trainA", "valB")
    assert checks.schema(tmp_path / "out") + checks.answers(tmp_path / "out") + checks.disjoint(tmp_path / "out") == []
    assert distributions(tmp_path / "out")["num_images_valB"] == 2
    assert contact_sheet(tmp_path / "out", 2, 1, 30)[:4] == b"\x89PNG"


def test_splits_need_names_of_their_own() -> None:
    for values in ({"val_split": "train"}, {"more_splits": ["val"]}, {"train_split": "../x"}, {"more_splits": ["a/b"]}):
        with pytest.raises(InputError, match=r"split"):
            debug().with_values(values)


def test_splits_at_their_defaults_keep_fingerprints() -> None:
    from nsmodels.systems.visual.config import VisualConfig

    assert {"train_split", "val_split", "more_splits"}.isdisjoint(debug().relevant())
    assert {"train_split", "val_split"}.isdisjoint(VisualConfig().relevant())
    assert debug().with_values({"val_split": "valB"}).relevant()["val_split"] == "valB"


@pytest.mark.parametrize("mode", ["I;16", "I", "F"])
def test_images_of_more_than_eight_bits_are_refused(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "deep.tiff"
    Image.new(mode, (8, 8), 300).save(path)
    for read in (verify_image, image_size):
        with pytest.raises(InputError, match=f"{path.name}: has one channel of more than 8 bits"):
            read(path)


def test_splits_that_are_not_taken_are_named(plain: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    shutil.copytree(plain / "images" / "val", plain / "images" / "test")
    prepared(plain, tmp_path / "out")
    assert "splits not taken: test; field 'more_splits' takes those with answers" in caplog.text
