"""The dashboard notebook runs from top to bottom in a kernel, and a training interrupted there goes on."""

import asyncio
import json
import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from nsmodels import notebook
from nsmodels.core import artifact
from nsmodels.core.errors import InputError

DASHBOARD = Path(__file__).parents[1] / "notebooks" / "dashboard.ipynb"
CHANGES = {"training.device": "cpu", "training.epochs": 12, "training.save_interval": 1}
SMALL = f'PRESET = "debug"\nCHANGES = {CHANGES}'
NAME = notebook.choose("nav", "debug", changes=CHANGES).name


def read() -> nbformat.NotebookNode:
    return nbformat.read(DASHBOARD, as_version=4)


def source_of(cell: nbformat.NotebookNode) -> str:
    return "".join(out.get("text", "") for out in cell.get("outputs", []))


def pictures_of(cell: nbformat.NotebookNode) -> int:
    return sum("image/png" in out.get("data", {}) for out in cell.get("outputs", []))


def test_it_is_kept_without_outputs_and_its_cells_are_short():
    book = read()
    nbformat.validate(book)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    assert max(len(cell.source.splitlines()) for cell in code) <= 6
    assert next(cell.source for cell in code if "parameters" in cell.metadata.get("tags", ())).startswith("SYSTEM")


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


@pytest.fixture(scope="module")
def executed(tmp_path_factory) -> tuple[nbformat.NotebookNode, Path, list[dict]]:
    """The notebook after a run in which the kernel was interrupted once, its data root, and the history by then."""
    place = tmp_path_factory.mktemp("notebook")
    book = read()
    (choosing,) = [n for n, cell in enumerate(book.cells) if "parameters" in cell.metadata.get("tags", ())]
    book.cells.insert(choosing + 1, nbformat.v4.new_code_cell(SMALL))
    root = place / "data"
    environment = {**os.environ, "NSMODELS_DATA": str(root), "OMP_NUM_THREADS": "1"}
    before = asyncio.run(execute(book, place, root, environment))
    return book, root, before


async def execute(book, place: Path, root: Path, environment: dict[str, str]) -> list[dict]:
    client = NotebookClient(book, timeout=250, kernel_name="python3", resources={"metadata": {"path": str(place)}})
    history = root / "notebook" / NAME / ".model.partial" / "navigator" / "metrics.jsonl"
    before: list[dict] = []
    async with client.async_setup_kernel(env=environment):
        for number, cell in enumerate(book.cells):
            if "notebook.train(" in cell.source:
                running = asyncio.ensure_future(client.async_execute_cell(cell, number))
                while not running.done() and not (history.exists() and len(history.read_text().splitlines()) >= 2):
                    await asyncio.sleep(0.02)
                await client.km.interrupt_kernel()
                await running
                assert "run this cell again" in source_of(cell), cell.outputs
                before = [json.loads(line) for line in history.read_text().splitlines()]
                assert 2 <= len(before) < 12
            await client.async_execute_cell(cell, number)
    return before


def test_an_interrupted_training_goes_on_where_it_was(executed):
    _, root, before = executed
    after = json.loads((root / "notebook" / NAME / "model" / "history.json").read_text())["navigator"]
    assert after[: len(before)] == before
    assert [record["epoch"] for record in after] == list(range(1, 13))


def test_every_cell_shows_what_it_promises(executed):
    book, root, _ = executed
    cells = {cell.source.split("(")[0]: cell for cell in book.cells if cell.cell_type == "code"}
    assert all(out.output_type != "error" for cell in cells.values() for out in cell.outputs)
    assert "sealed" in source_of(cells["trained = notebook.train"])
    assert pictures_of(cells["trained = notebook.train"]) >= 1, "live curves"
    assert pictures_of(cells["report = notebook.evaluate"]) >= 3
    assert "95 %" in source_of(cells["report = notebook.evaluate"])
    assert pictures_of(cells["notebook.calibration"]) == 1
    assert pictures_of(cells["notebook.compare"]) == 1
    assert f"notebook/{NAME}" in str(cells["notebook.compare"].outputs)
    assert "navigator/epoch_0012" in str(cells["notebook.checkpoints"].outputs)
    assert pictures_of(cells["notebook.gradients"]) == 1
    assert "best" in str(cells["notebook.gradients"].outputs)
    assert "this process" in str(cells["notebook.diagnose"].outputs)
    made = sorted(path.name for path in (root.parent / "exports").iterdir())
    assert made == [f"{NAME}-evaluation.zip", f"{NAME}-model.zip"]
