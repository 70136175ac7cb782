"""The notebooks run from top to bottom for the systems, and a training interrupted in one goes on."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

from nsmodels import notebook
from nsmodels.core import artifact, discover
from nsmodels.core.errors import InputError
from nsmodels.engine.system import System
from tests.shared import resealed

FOLDER = Path(__file__).parents[1] / "notebooks"
NAMES = ("training", "demonstration")
CHANGES = {"training.device": "cpu", "training.epochs": 12, "training.save_interval": 1}
NAME = notebook.choose("nav", "debug", changes=CHANGES).name
MOST_LINES = 14  # of a cell: it is on the screen as a whole


def read(name: str) -> NotebookNode:
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def tagged(book: NotebookNode, tag: str) -> int:
    (place,) = [place for place, cell in enumerate(book.cells) if tag in cell.metadata.get("tags", ())]
    return place


def with_parameters(name: str, text: str) -> NotebookNode:
    """A notebook with a cell after that of its parameters."""
    book = read(name)
    book.cells.insert(tagged(book, "parameters") + 1, nbformat.v4.new_code_cell(text))
    return book


def text_of(cells: NotebookNode | Iterable[NotebookNode]) -> str:
    """All that cells print and display as text."""
    cells = [cells] if isinstance(cells, NotebookNode) else cells
    outputs = [out for cell in cells for out in cell.get("outputs", [])]
    return "".join(out.get("text", "") or out.get("data", {}).get("text/plain", "") for out in outputs)


def pictures_of(cell: NotebookNode) -> int:
    return sum("image/png" in out.get("data", {}) for out in cell.get("outputs", []))


def by_call(book: NotebookNode) -> dict[str, NotebookNode]:
    """The cells with code, by what stands before their first bracket."""
    return {cell.source.split("(")[0]: cell for cell in book.cells if cell.cell_type == "code"}


async def run(client: NotebookClient, book: NotebookNode) -> None:
    for number, cell in enumerate(book.cells):
        await client.async_execute_cell(cell, number)


def client_of(book: NotebookNode, place: Path) -> NotebookClient:
    return NotebookClient(book, timeout=250, kernel_name="python3", resources={"metadata": {"path": str(place)}})


def kernel(client: NotebookClient, place: Path):
    environment = {**os.environ, "NSMODELS_DATA": str(place / "data"), "OMP_NUM_THREADS": "1"}
    return client.async_setup_kernel(env=environment)


@pytest.mark.parametrize("name", NAMES)
def test_they_are_kept_without_outputs_and_their_cells_are_short(name):
    book = read(name)
    nbformat.validate(book)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    assert max(len(cell.source.splitlines()) for cell in code) <= MOST_LINES
    assert book.cells[tagged(book, "parameters")].source.startswith("SYSTEM")


def test_their_first_cell_installs_only_where_the_project_is_missing():
    first, other = (book.cells[tagged(book, "install")].source for book in map(read, NAMES))
    assert first == other
    there = subprocess.run([sys.executable, "-c", first], capture_output=True, text=True, check=True)
    assert there.stdout == "nsmodels is installed; nothing to do\n"
    # -S: without the packages of the environment, the project among them
    missing = subprocess.run([sys.executable, "-ISc", first], capture_output=True, text=True, check=False)
    assert missing.returncode == 1
    assert missing.stderr.startswith("nsmodels is not installed: set SOURCE to a wheel, or to git+ and the URL")


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory) -> tuple[NotebookNode, Path, list[dict]]:
    """The training notebook after a run in which the kernel was interrupted once, its folder, the history by then."""
    place = tmp_path_factory.mktemp("notebook")
    book = with_parameters("training", f'SYSTEM = "nav"\nPRESET = "debug"\nCHANGES = {CHANGES}')
    return book, place, asyncio.run(interrupt(book, place))


async def interrupt(book: NotebookNode, place: Path) -> list[dict]:
    client, before = client_of(book, place), []
    history = place / "data/notebook" / NAME / ".model.partial/navigator/metrics.jsonl"
    async with kernel(client, place):
        for number, cell in enumerate(book.cells):
            if "notebook.train(" in cell.source:
                running = asyncio.ensure_future(client.async_execute_cell(cell, number))
                while not running.done() and not (history.exists() and len(history.read_text().splitlines()) >= 2):
                    await asyncio.sleep(0.02)
                await client.km.interrupt_kernel()
                await running
                assert "run this cell again" in text_of(cell), cell.outputs
                before = [json.loads(line) for line in history.read_text().splitlines()]
                assert 2 <= len(before) < 12
            await client.async_execute_cell(cell, number)
    return before


def test_an_interrupted_training_goes_on_where_it_was(interrupted):
    _, place, before = interrupted
    after = json.loads((place / "data/notebook" / NAME / "model/history.json").read_text())["navigator"]
    assert after[: len(before)] == before
    assert [record["epoch"] for record in after] == list(range(1, 13))


def test_every_cell_of_a_training_shows_what_it_promises(interrupted):
    book, place, _ = interrupted
    cells = by_call(book)
    assert "nothing to do" in text_of(book.cells[tagged(book, "install")])
    assert "sealed" in text_of(cells["trained = notebook.train"])
    assert pictures_of(cells["trained = notebook.train"]) >= 1, "live curves"
    assert pictures_of(cells["report = notebook.evaluate"]) >= 3
    assert "95 %" in text_of(cells["report = notebook.evaluate"])
    assert re.search("chance|random", text_of(cells["report = notebook.evaluate"]))
    assert pictures_of(cells["notebook.calibration"]) == 1
    assert pictures_of(cells["notebook.compare"]) == 1
    assert f"notebook/{NAME}" in text_of(cells["notebook.compare"])
    assert "navigator/epoch_0012" in text_of(cells["notebook.checkpoints"])
    assert pictures_of(cells["notebook.gradients"]) == 1
    assert "best" in text_of(cells["notebook.gradients"])
    assert "this process" in text_of(cells["notebook.diagnose"])
    made = sorted(path.name for path in (place / "exports").iterdir())
    assert made == [f"{NAME}-evaluation.zip", f"{NAME}-model.zip", f"{NAME}.onnx"]


def test_after_a_restart_a_training_is_reused_and_demonstrated(interrupted):
    book, place, _ = interrupted
    folder = place / "data/notebook" / NAME / "model"
    seal = (folder / artifact.MANIFEST).stat().st_mtime_ns
    again = NotebookNode(
        book | {"cells": book.cells[: book.cells.index(by_call(book)["trained = notebook.train"]) + 1]}
    )
    shown = with_parameters("demonstration", f'SYSTEM, MODEL = "nav", "notebook/{NAME}/model"')
    execute_together([again, shown], place)
    assert (folder / artifact.MANIFEST).stat().st_mtime_ns == seal
    assert pictures_of(by_call(again)["trained = notebook.train"]) == 0, "nothing was trained"
    assert_demonstrated(shown)


OTHERS = ("graph", "visual", "world")


@pytest.fixture(scope="module")
def executed(shared, tmp_path_factory) -> tuple[dict[str, list[NotebookNode]], Path]:
    """Both notebooks of every other system, all run in one kernel, as importing torch takes long; their folder."""
    place = tmp_path_factory.mktemp("systems")
    books = {system: [of_system(name, system, shared) for name in NAMES] for system in OTHERS}
    for _, shown in books.values():
        shown.cells.remove(by_call(shown)["files = notebook.export"])  # the training notebook has exported the model
    execute_together([book for pair in books.values() for book in pair], place)
    return books, place


def of_system(name: str, system: str, shared) -> NotebookNode:
    data = shared.data(discover.system(system).datasets[0])
    return with_parameters(name, f'SYSTEM, PRESET, DATA = "{system}", "debug", {str(data)!r}')


@pytest.mark.parametrize("system", OTHERS)
def test_both_run_for_every_system(system, executed):
    books, place = executed
    trained, shown = books[system]
    cells = by_call(trained)
    assert pictures_of(cells["trained = notebook.train"]) >= 1, "live curves"
    assert re.search("chance|random", text_of(cells["report = notebook.evaluate"]))
    assert "one answer, median" in text_of(cells["notebook.speed"])
    (name,) = {folder.name for folder in (place / "data/notebook").glob(f"{system}-debug-42-*")}
    assert f"model notebook/{name}/model: sealed" in text_of(by_call(shown)["choice = notebook.take"])
    assert_demonstrated(shown)
    made = {path.name for path in (place / "exports").iterdir()}
    assert {f"{name}-evaluation.zip", f"{name}-model.zip"} <= made
    is_exported = type(discover.system(system)).export is not System.export
    assert (f"{name}.onnx" in made) == is_exported
    assert ("has no ONNX export" in text_of(cells["files = notebook.export"])) == (not is_exported)


def execute_together(books: list[NotebookNode], place: Path) -> None:
    """Run notebooks one after the other in one kernel."""

    async def execute() -> None:
        client = client_of(books[0], place)
        async with kernel(client, place):
            for book in books:
                client.nb = book
                await run(client, book)

    asyncio.run(execute())


def assert_demonstrated(book: NotebookNode) -> None:
    """Right and wrong answers are explained, changed and timed."""
    cells = by_call(book)
    drawn, table = text_of(cells["sample = notebook.demonstrate"]), text_of(cells["sample.table"])
    assert "drawn by chance with seed 0" in drawn
    num_right = int(drawn.partition("right: ")[2].split()[0])
    assert table.count("True") == num_right
    kinds = [word for word, is_there in (("right", num_right), ("wrong", table.count("False"))) if is_there]
    explained, changed = (cells[f"notebook.{name}"] for name in ("explain", "change"))
    for word in kinds:
        assert f"--- {word} ---" in text_of(explained)
        assert f"--- {word}" in text_of(changed)
    assert pictures_of(explained) == len(kinds)
    assert "one answer, median" in text_of(cells["notebook.speed"])
    assert text_of(cells["notebook.own"]).startswith("nsmodels ")


def test_what_makes_another_model_has_a_folder_of_its_own():
    def name(changes=None, **more):
        return notebook.choose("nav", "debug", changes=changes, **more).name

    usual = name()
    assert usual == name({"training.num_workers": 1}) == name(data="mazes") == "nav-debug-42"
    assert name({"training.seed": 7}) == name(seed=7) == "nav-debug-7"
    others = [name({"training.lr": 0.1}), name({"training.lr": 0.2}), name(data="mazes_hard"), name(data="elsewhere")]
    assert len({usual, *others}) == 5
    assert all(other.startswith("nav-debug-42-") for other in others)


def test_a_domain_has_its_own_presets_data_and_name(shared):
    chains = notebook.choose("graph", "debug", domain="chains")
    assert (chains.data_key, chains.name) == ("long_chains", "graph-chains-debug-42")
    assert notebook.choose("graph", "quick", domain="chains").config.model.kind == "levels"
    assert notebook.choose("graph", "debug", domain="causal").data_key == notebook.choose("graph", "debug").data_key
    for system, said in (("graph", "known are causal, planning"), ("nav", "it has none")):
        with pytest.raises(InputError, match=f"domain 'physics': not one of {system}; {said}"):
            notebook.choose(system, "debug", domain="physics")
    data = str(shared.data("long_chains"))
    found = notebook.gradients(notebook.choose("graph", "debug", domain="chains", data=data), num_batches=1)
    assert list(found.columns) == ["module", "start"]
    assert (found["start"] > 0).any()


def test_a_model_of_another_configuration_is_not_scored(tmp_path, monkeypatch):
    monkeypatch.setenv("NSMODELS_DATA", str(tmp_path))
    first, second = (notebook.choose("nav", "debug", changes={"training.lr": lr}, name="mine") for lr in (0.1, 0.2))
    recipe = {"config": first.config.relevant(), "code_version": "1"}
    with artifact.build(first.model, key=first.model_key, maker="tests", **recipe):
        pass
    with pytest.raises(InputError, match="trained with a different configuration than the chosen one; train first"):
        notebook.evaluate(second)
    assert not second.evaluation.exists()


def test_a_model_is_taken_by_name_else_an_asset_on_the_same_data(shared, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("NSMODELS_DATA", str(tmp_path))
    model, choice = shared.model("nav"), notebook.choose("nav", "debug")
    taken = notebook.take(choice, str(model))
    assert (taken.model, taken.data) == (model, shared.data("mazes"))
    assert f"data {taken.data}, on which it was trained, in place of mazes" in capsys.readouterr().out
    for name, key in (("older", "mazes"), ("nav_model", "mazes"), ("elsewhere", "other_mazes")):
        manifest = artifact.read_manifest(model)
        inputs = {key: next(iter(manifest.inputs.values()))}
        resealed(shutil.copytree(model, tmp_path / name), key=name, inputs=inputs, created=f"2026-{len(name):02d}")
    assert notebook.take(choice).model == tmp_path / "nav_model"
    with pytest.raises(InputError, match=r"MODEL .*: made by nsmodels.systems.nav; expected a model of graph"):
        notebook.take(notebook.choose("graph", "debug"), str(model))


def test_a_system_without_a_demonstration_is_refused_in_a_line(shared, tmp_path, monkeypatch):
    monkeypatch.setenv("NSMODELS_DATA", str(tmp_path))
    choice = notebook.take(notebook.choose("links", "debug"), str(shared.model("links")))
    with pytest.raises(InputError, match="links: has no demonstration"):
        notebook.demonstrate(choice)
