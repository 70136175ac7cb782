"""What a build may replace: its own predecessor, and nothing of a person, whatever it is and whenever it came there."""

import logging
import re
import shutil
from pathlib import Path

import pytest

from nsmodels.__main__ import main
from nsmodels.core import artifact
from nsmodels.core.errors import InputError

RECIPE = {"config": {"size": 3}, "code_version": "1"}


def make(folder: Path, text: str = "first", key: str = "things", maker: str = "tests", **more) -> artifact.Manifest:
    def fill(part: artifact.Part) -> None:
        (part.path / "words.txt").write_text(text)

    return artifact.made(folder, True, fill, key=key, maker=maker, **{**RECIPE, **more})


def refused(folder: Path, match: str, **more) -> None:
    """The build ends before its block, and everything on the disk is as it was."""
    before = {path: path.read_bytes() for path in sorted(folder.parent.rglob("*")) if path.is_file()}
    with pytest.raises(InputError, match=match) as caught:
        make(folder, "second", **more)
    assert "\n" not in str(caught.value)
    assert {path: path.read_bytes() for path in sorted(folder.parent.rglob("*")) if path.is_file()} == before


@pytest.mark.parametrize("content", ["{}", "[]", "", '{"key": "web", "files": {"thesis.tex": {}}}', "\0"])
def test_a_folder_with_a_manifest_of_somebody_else_is_not_ours(tmp_path: Path, content: str, capsys) -> None:
    web = tmp_path / "web"
    web.mkdir()
    (web / "manifest.json").write_text(content)
    (web / "thesis.tex").write_text("x")
    refused(web, "web: holds files that are no artifact and would be lost: thesis.tex; its manifest.json is none of")
    assert main(["mazes", "generate", "--preset", "debug", "--out", str(web)]) == 2
    assert re.fullmatch(r"error: .*web: holds files that are no artifact .*\n", capsys.readouterr().err)
    assert (web / "thesis.tex").read_text() == "x"
    (web / "thesis.tex").unlink()
    refused(web, "would be lost: manifest.json; its manifest.json is none")


@pytest.mark.parametrize("name", ["notes.txt", "deep/er/photo.png", ".hidden", "words.txt~"])
def test_files_of_a_person_in_an_artifact_are_not_lost(tmp_path: Path, name: str) -> None:
    make(tmp_path / "a")
    (tmp_path / "a" / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "a" / name).write_text("mine")
    refused(tmp_path / "a", f"a: holds files that are not of the artifact in it and would be lost: {name}; move them")


def test_a_link_in_an_artifact_is_foreign_and_leftovers_and_files_of_desktops_are_not(tmp_path: Path) -> None:
    make(tmp_path / "a")
    for name in (".DS_Store", ".words.txt.99.partial", ".best.pt.part"):
        (tmp_path / "a" / name).write_text("")
    assert make(tmp_path / "a", "second")
    (tmp_path / "a" / "pictures").symlink_to(tmp_path)
    refused(tmp_path / "a", "would be lost: pictures;")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (
            {"maker": "others"},
            r"holds 'things' by tests \(training\), sealed .*, and would be replaced by 'things' by others",
        ),
        ({"key": "thing"}, "would be replaced by 'thing' by tests"),
        ({"kind": "study"}, r"holds 'things' by tests \(training\), .* by 'things' by tests \(study\)"),
    ],
)
def test_an_artifact_of_a_different_key_maker_or_kind_is_not_replaced(tmp_path: Path, more: dict, words: str) -> None:
    make(tmp_path / "a", kind="training")
    refused(tmp_path / "a", words, **more)


def test_a_renamed_asset_and_a_partition_keep_their_predecessors(tmp_path: Path) -> None:
    make(tmp_path / "model", key="mazes_replicates/3/model")
    assert make(tmp_path / "model", key="nav_replicates/3/model").key == "nav_replicates/3/model"
    assert make(tmp_path / "model", key="model")
    make(tmp_path / "nav_replicates", key="mazes_replicates")
    assert make(tmp_path / "nav_replicates", key="nav_replicates")


def test_an_output_that_is_in_or_around_an_input_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "all" / "data"
    make(data)
    (tmp_path / "link").symlink_to(data)
    inputs = {"data": data}
    for place, words in {
        data: "is the data", tmp_path / "link": "is the data", data / "x": "lies in the data",
        data / "x" / "y": "lies in the data", tmp_path / "all": "is a folder around the data",
    }.items():  # fmt: skip
        with pytest.raises(InputError, match=f"{place.name}: {words} .* made from, which would be changed or lost"):
            make(place, key="model", inputs=inputs)
    plain = tmp_path / "plain"
    plain.mkdir()
    with pytest.raises(InputError, match="lies in the data"):
        make(plain / "model", key="model", inputs={"data": plain})
    assert {path.name for path in tmp_path.iterdir()} == {"all", "link", "plain"}
    assert artifact.verify(data)


def test_home_the_current_folder_the_parent_of_the_data_root_and_an_artifact_are_refused(tmp_path, monkeypatch) -> None:
    places = {name: tmp_path / name for name in ("home", "here", "root")}
    for place in places.values():
        (place / "in").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(places["home"] / "in"))
    monkeypatch.chdir(places["here"] / "in")
    monkeypatch.setenv("NSMODELS_DATA", str(places["root"] / "in" / "data"))
    for place in (*places.values(), *(each / "in" for each in places.values()), Path(), Path("..")):
        with pytest.raises(InputError, match="cannot be replaced; give a folder in it"):
            make(place)
    make(tmp_path / "a")
    with pytest.raises(InputError, match=rf"lies in the artifact {tmp_path / 'a'}, which it would change"):
        make(tmp_path / "a" / "b")
    assert artifact.verify(tmp_path / "a")


def test_files_that_came_during_the_run_are_kept_and_reported(tmp_path: Path, caplog) -> None:
    make(tmp_path / "a")
    for number, place in enumerate(("a.kept", "a.kept-2")):
        with artifact.build(tmp_path / "a", key="things", maker="tests", **RECIPE) as part:
            (part.path / "words.txt").write_text("second")
            (tmp_path / "a" / "thesis.tex").write_text(f"mine {number}")
        assert (tmp_path / place / "thesis.tex").read_text() == f"mine {number}"
        assert set(artifact.verify(tmp_path / "a").files) == {"words.txt"}
        assert f"that are not its own (thesis.tex); they are kept in {tmp_path / place}" in caplog.text


def test_a_folder_that_came_during_the_run_is_kept(tmp_path: Path) -> None:
    with artifact.build(tmp_path / "a", key="things", maker="tests", **RECIPE):
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "thesis.tex").write_text("mine")
    assert (tmp_path / "a.kept" / "thesis.tex").read_text() == "mine"
    assert artifact.verify(tmp_path / "a")


@pytest.mark.parametrize("word", ["previous", "partial"])
def test_hidden_folders_of_a_person_beside_an_artifact_are_not_lost(tmp_path: Path, word: str, caplog) -> None:
    make(tmp_path / "a")
    place = artifact.beside(tmp_path / "a", word)
    place.mkdir()
    (place / "manifest.json").write_text("{}")
    (place / "thesis.tex").write_text("mine")
    assert artifact.read_manifest(tmp_path / "a")  # a reader neither swaps it in nor removes it
    assert place.exists()
    if word == "partial":
        refused(tmp_path / "a", r"\.a\.partial: holds files of no build of this project \(manifest.json, thesis.tex\)")
    else:
        make(tmp_path / "a", "second")
        assert (tmp_path / "a.kept" / "thesis.tex").read_text() == "mine"
    assert artifact.verify(tmp_path / "a")


def test_half_of_a_replaced_artifact_is_swept_away(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    make(tmp_path / "a")
    shutil.copytree(tmp_path / "a", tmp_path / ".a.previous")
    (tmp_path / ".a.previous" / "words.txt").unlink()  # a process was killed while it deleted this folder
    with caplog.at_level(logging.WARNING):
        make(tmp_path / "a", "second")
    assert {path.name for path in tmp_path.iterdir()} == {"a", ".a.lock"}
    assert not caplog.records


def test_the_commands_refuse_what_belongs_to_somebody_else(shared, tmp_path: Path, capsys) -> None:
    data, model = shared.data("mazes"), shared.model("nav")
    capsys.readouterr()
    copied = shutil.copytree(model, tmp_path / model.name)
    capsys.readouterr()  # of the training, where this test is the first that needs the model
    for command, words in {
        f"mazes generate --preset debug --out {copied}": "would be replaced by .* by nsmodels.datasets.mazes",
        f"nav train --preset debug --data {data} --out {data}": "is the data",
        f"nav study grid --preset debug --data {data} --out {copied}": r"\(study: grid search\)",
        f"nav train --preset debug --data {data} --out {tmp_path}/thesis": "would be lost: a.tex",
        f"nav evaluate --checkpoint {copied} --data {data} --json {copied}/history.json": "lies in the artifact",
    }.items():
        (tmp_path / "thesis").mkdir(exist_ok=True)
        (tmp_path / "thesis" / "a.tex").write_text("mine")
        assert main(command.split()) == 2
        line = capsys.readouterr().err
        assert line.count("\n") in (1, 2), line  # and the preset's line
        assert re.search(words, line), line
    artifact.verify(copied)
    artifact.verify(data)


def test_links_that_lead_in_a_circle_are_one_line(tmp_path: Path, capsys) -> None:
    (tmp_path / "one").symlink_to("other")
    (tmp_path / "other").symlink_to("one")
    given = ["--preset", "debug", "--out", str(tmp_path / "out"), "--source", "local"]
    assert main(["mazes", "generate", *given, "--local-path", str(tmp_path / "one")]) == 2
    assert main(["mazes", "generate", "--preset", "debug", "--out", str(tmp_path / "one" / "out")]) == 2
    assert capsys.readouterr().err.count("its links lead in a circle") == 2


def test_a_report_replaces_no_file_of_plain_data(shared, tmp_path: Path, capsys) -> None:
    data, model = shared.data("mazes"), shared.model("nav")
    plain = shutil.copytree(data, tmp_path / "plain", ignore=shutil.ignore_patterns("manifest.json"))
    read = plain / "index.parquet"
    content = read.read_bytes()
    capsys.readouterr()
    assert main(["nav", "evaluate", "--checkpoint", str(model), "--data", str(plain), "--json", str(read)]) == 2
    assert f"--json {read}: would replace a file of {plain}" in capsys.readouterr().err
    assert read.read_bytes() == content


def test_the_model_of_a_different_system_is_not_scored(shared, tmp_path: Path, capsys) -> None:
    copied = shutil.copytree(shared.model("nav"), tmp_path / "model")
    manifest = copied / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"nsmodels.systems.nav"', '"nsmodels.systems.other"'))
    assert main(["nav", "evaluate", "--checkpoint", str(copied), "--data", str(shared.data("mazes"))]) == 2
    assert "holds no model of nav, it was made by nsmodels.systems.other" in capsys.readouterr().err
