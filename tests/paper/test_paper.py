"""The whole paper: what is written, twice the same, cards as push writes them, fonts, what is missing."""

from __future__ import annotations

import contextlib
import json
import logging.config
import shutil
from pathlib import Path

import pytest
import yaml
from absl import logging as absl_logging
from pypdf import PdfReader

from nsmodels.__main__ import main
from nsmodels.commands.sharing import exchange
from nsmodels.core import artifact
from nsmodels.core.errors import InputError
from nsmodels.evaluation import ledger, plots
from nsmodels.paper.assembly import assemble
from nsmodels.paper.cards.collection import make_dataset_cards, make_model_cards
from nsmodels.paper.contents import missing
from nsmodels.paper.inputs import read_inputs
from nsmodels.paper.recipes import command, preset_of
from nsmodels.paper.spending import spent
from nsmodels.paper.supplement import examples
from nsmodels.paper.supplement.artifact import make_supplement
from nsmodels.paper.tables.artifact import every_table
from nsmodels.systems.nav.figures import nav_success
from tests.paper.made import sealed_study
from tests.shared import resealed


@pytest.fixture(scope="module")
def root(sealed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root from which the paper is assembled, a figure among what is sealed."""
    place = tmp_path_factory.mktemp("assembled") / "data"
    shutil.copytree(sealed, place)
    nav_success(place / "nav_replicates" / "0" / "evaluation", place / "nav_success", "nav_evaluation")
    return place


@pytest.fixture(autouse=True)
def data_root(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NSMODELS_DATA", str(root))


@pytest.fixture(scope="module")
def paper(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out") / "paper"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NSMODELS_DATA", str(root))
        assert main(["paper", "--out", str(out)]) == 0
    return out


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def text_of(path: Path) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(path).pages)


def fonts_of(path: Path) -> list[dict]:
    """The fonts of a PDF, of a composite font that which holds the letters."""
    found = []
    for page in PdfReader(path).pages:
        for font in (page["/Resources"].get("/Font") or {}).values():
            outer = font.get_object()
            found += [inner.get_object() for inner in outer.get("/DescendantFonts", [outer])]
    return found


def test_a_paper_has_figures_tables_supplement_cards_and_an_index(root: Path, paper: Path) -> None:
    written = contents(paper)
    assert {"README.md", "MANIFEST.json", "supplement.pdf", "tables/costs.tex"} < written.keys()
    assert {"figures/nav_success/success.pdf", "model_cards/nav_replicates/0/model/README.md"} < written.keys()
    assert {"dataset_cards/mazes/croissant.json", "dataset_cards/causal_graphs/README.md"} < written.keys()
    listed = json.loads(written["MANIFEST.json"])["files"]
    assert listed.keys() == written.keys() - {"MANIFEST.json"}
    index = written["README.md"].decode()
    for name, about in listed.items():
        if name != "README.md":
            sealed = artifact.read_manifest(root / about["artifact"])
            assert (about["fingerprint"], about["commit"]) == (sealed.fingerprint, sealed.commit)
            assert f"[{name}]({name}) | `{about['artifact']}` {about['fingerprint']} | {about['commit']}" in index
    card = next(line for line in index.splitlines() if "[dataset_cards/mazes/croissant.json]" in line)
    assert card.split(" | ")[3:] == ["synthetic mazes", "data debug |"]  # the data of that card alone
    assert listed["dataset_cards/mazes/croissant.json"]["source"] == "synthetic mazes"


def test_the_same_artifacts_give_the_same_bytes(root: Path, paper: Path, tmp_path: Path) -> None:
    before = contents(paper)
    assert main(["paper", "--out", str(paper)]) == 0
    assert contents(paper) == before
    for key in ("paper_tables", "supplement", "model_cards", "dataset_cards"):
        (root / key).rename(tmp_path / key)
    assert main(["paper", "--out", str(tmp_path / "again")]) == 0
    assert contents(tmp_path / "again") == before


def test_what_is_missing_is_named_with_its_command_and_fails_where_asked(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = list(missing(root))
    assert (
        "world_replicates: 0 of 3 seeds: dagster asset materialize --select world_replicates --partition-range 0...2"
        in lines
    )
    assert "reasoning_depth: dagster asset materialize --select reasoning_depth" in lines
    assert not any(line.startswith(("nav_replicates", "causal_replicates", "visual_ablations")) for line in lines)
    assert main(["paper", "--out", str(tmp_path / "plain")]) == 0
    named = [line for line in capsys.readouterr().out.splitlines() if line.startswith("missing: ")]
    assert len(named) >= len(lines)
    assert main(["paper", "--out", str(tmp_path / "strict"), "--strict"]) == 2
    assert f"paper: {len(named)} parts missing, the first: {lines[0]}" in capsys.readouterr().err
    assert not (tmp_path / "strict").exists()


def test_strict_counts_what_cannot_be_made_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "data").mkdir()
    lines = list(missing(tmp_path / "data"))
    words = ["paper", "--data", str(tmp_path / "data"), "--out", str(tmp_path / "paper"), "--strict"]
    assert main(words) == 2
    assert f"paper: {len(lines) + 4} parts missing, " in capsys.readouterr().err  # tables, supplement and two of cards


def test_a_place_that_cannot_be_written_is_one_line_that_names_it(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["paper", "--out", "/proc/paper"]) == 2
    line = "error: /proc/paper: cannot be written in /proc (No such file or directory); give a different place\n"
    assert capsys.readouterr().err == line


def test_a_folder_of_something_else_is_not_replaced(root: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("mine")
    with pytest.raises(InputError, match=r"chapter\.tex: is not of an earlier paper and would be lost"):
        assemble(root, tmp_path / "thesis")
    assert (tmp_path / "thesis" / "chapter.tex").read_text() == "mine"


@pytest.mark.parametrize("name", ["tables/costs.tex", "README.md"])
def test_a_file_of_an_earlier_paper_that_was_changed_is_not_replaced(paper: Path, tmp_path: Path, name: str) -> None:
    shutil.copytree(paper, tmp_path / "mine")
    (tmp_path / "mine" / name).write_text("my words")
    with pytest.raises(InputError, match=rf"{name}: was changed since the earlier paper was written"):
        assemble(artifact.data_root(), tmp_path / "mine")
    assert (tmp_path / "mine" / name).read_text() == "my words"


@pytest.mark.parametrize("content", ["{", "[]", '{"files": ["a"]}', '{"files": {"a": 1}}'])
def test_a_list_that_is_none_of_a_paper_is_refused(root: Path, tmp_path: Path, content: str) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "MANIFEST.json").write_text(content)
    with pytest.raises(InputError, match="is no folder of an earlier paper"):
        assemble(root, tmp_path / "other")


def test_a_figure_of_an_evaluation_that_was_made_again_is_left_out_and_named(copied: Path, tmp_path: Path) -> None:
    shutil.copytree(copied / "nav_replicates" / "0" / "evaluation", copied / "nav_evaluation")
    nav_success(copied / "nav_evaluation", copied / "nav_success", "nav_evaluation")
    assert "figures/nav_success/success.pdf" in assemble(copied, tmp_path / "out").files
    resealed(copied / "nav_evaluation", created="2030-01-01T00:00:00+00:00")
    found = assemble(copied, tmp_path / "out")
    assert not any(name.startswith("figures/nav_success") for name in found.files)
    line = "nav_success: nav_evaluation was made again since: dagster asset materialize --select nav_success"
    assert line in found.missing
    assert line in (tmp_path / "out" / "README.md").read_text()


def test_a_figure_that_was_changed_is_refused(copied: Path, tmp_path: Path) -> None:
    nav_success(copied / "nav_replicates" / "0" / "evaluation", copied / "nav_success", "nav_evaluation")
    drawn = copied / "nav_success" / "success.pdf"
    drawn.write_bytes(drawn.read_bytes()[:-1] + b"!")
    with pytest.raises(InputError, match=r"success\.pdf"):
        assemble(copied, tmp_path / "out")


def test_tables_of_results_that_are_gone_are_no_part_of_a_new_paper(copied: Path, tmp_path: Path) -> None:
    assert "tables/costs.tex" in assemble(copied, tmp_path / "out").files
    for name in ("nav", "causal"):
        (copied / f"{name}_replicates" / "2").rename(tmp_path / f"{name}_2")
    found = assemble(copied, tmp_path / "out")
    assert not any(name.startswith(("tables/", "supplement")) for name in found.files)
    assert any(line.startswith("paper_tables: ") for line in found.missing)


def test_a_study_that_is_not_sound_is_named_as_missing(copied: Path, tmp_path: Path) -> None:
    report = copied / "visual_ablations" / "report.json"
    content = json.loads(report.read_text())
    for row in content["parts"]["gqa_mini"]["rows"]:
        row["seeds"] = [0]
    report.write_text(json.dumps(content))
    resealed(copied / "visual_ablations")
    (line,) = [line for line in assemble(copied, tmp_path / "out").missing if line.startswith("visual_ablations")]
    assert "has 1 seed; expected at least 3" in line
    assert line in (tmp_path / "out" / "README.md").read_text()


def test_the_index_and_the_supplement_name_the_presets(paper: Path) -> None:
    rows = [line for line in (paper / "README.md").read_text().splitlines() if line.startswith("| [")]
    assert rows
    for line in rows:
        assert line.endswith("| data debug |" if "dataset_cards/" in line else "| debug |")
    assert "preset: debug (" in text_of(paper / "supplement.pdf")


def test_results_that_must_not_stand_together_end_it_without_a_paper(copied: Path, tmp_path: Path) -> None:
    resealed(copied / "nav_replicates" / "1" / "evaluation", code_version="0")
    with pytest.raises(InputError, match="of different code versions"):
        assemble(copied, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_card_is_what_push_writes(root: Path, paper: Path, tmp_path: Path) -> None:
    for name, kind in (("nav_replicates/0/model", "model_cards"), ("mazes", "dataset_cards")):
        exchange.push(root / name, str(tmp_path / "copy" / kind))
        for file in contents(paper / kind / name):
            assert (tmp_path / "copy" / kind / file).read_bytes() == (paper / kind / name / file).read_bytes()


def test_a_card_lists_the_scores_of_its_evaluation(root: Path, paper: Path) -> None:
    head = (paper / "model_cards/nav_replicates/0/model/README.md").read_text().split("---\n")[1]
    (result,) = yaml.safe_load(head)["model-index"][0]["results"]
    sealed = artifact.read_manifest(root / "nav_replicates" / "0" / "evaluation")
    assert result["dataset"]["name"] == "mazes (synthetic mazes)"
    assert result["metrics"][0]["value"] == pytest.approx(sealed.metrics["success"], abs=1e-6)
    assert "synthetic" in yaml.safe_load(head)["tags"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning:mlcroissant", "ignore:ConjunctiveGraph", "ignore:Dataset")
@pytest.mark.parametrize("name", ["mazes", "causal_graphs"])
def test_metadata_of_data_are_valid_croissant(paper: Path, name: str) -> None:
    import mlcroissant

    read = mlcroissant.Dataset(jsonld=str(paper / "dataset_cards" / name / "croissant.json"))
    assert not read.metadata.ctx.issues.errors
    assert read.metadata.record_sets


def test_its_logger_closes_nothing_that_is_captured(capsys: pytest.CaptureFixture) -> None:
    stream = absl_logging.get_absl_handler().python_handler.stream
    logging.config.dictConfig({"version": 1, "disable_existing_loggers": False})  # as Dagster does before a run
    assert not stream.closed


def test_fonts_of_every_pdf_are_embedded_and_none_is_of_type_3(paper: Path) -> None:
    files = sorted(paper.rglob("*.pdf"))
    assert len(files) == 5
    for path in files:
        fonts = fonts_of(path)
        assert fonts, path
        for font in fonts:
            assert font["/Subtype"] != "/Type3", path
            assert {"/FontFile", "/FontFile2", "/FontFile3"} & font["/FontDescriptor"].get_object().keys(), path


def test_figures_fit_a_column(paper: Path) -> None:
    for path in sorted((paper / "figures").rglob("*.pdf")):
        (page,) = PdfReader(path).pages
        assert float(page.mediabox.width) / 72 <= plots.COLUMN + 0.02, path


def test_the_supplement_has_commands_compute_findings_and_what_was_not_measured(root: Path, paper: Path) -> None:
    text = text_of(paper / "supplement.pdf")
    for title in ("Commands", "Configurations", "Compute and energy", "Negative results", "Proofs", "Begun and left"):
        assert title in text
    model = artifact.read_manifest(root / "nav_replicates" / "1" / "model")
    assert f"commit {model.commit}, seed 1, fingerprint {model.fingerprint}" in text.replace("\n    ", " ")
    assert "dagster asset materialize --select nav_replicates --partition 1" in text
    assert f"{spent(model).cpu_seconds:,.1f}" in text
    assert ("not measured" in text) == (spent(model).joules is None)
    assert "a hat (accuracy): does not matter" in text
    assert "haste (slips): hurts" in text


def begin(folder: Path) -> None:
    """A training that is stopped."""
    about = {"key": "nav_replicates/3/model", "maker": "nsmodels.systems.nav", "config": {}, "code_version": "1"}
    with contextlib.suppress(KeyboardInterrupt), artifact.build(folder, **about) as part:
        (part.path / "weights").write_text("half")
        raise KeyboardInterrupt


def test_unfinished_and_replaced_work_is_in_the_supplement(copied: Path, tmp_path: Path) -> None:
    begin(copied / "nav_replicates" / "3" / "model")
    ledger.scan(copied)
    (copied / "causal_replicates").rename(tmp_path / "gone")
    with artifact.build(copied / "world_model", key="world_model", maker="m", config={}, code_version="1"):
        make_supplement(copied, copied / "supplement")
    text = text_of(copied / "supplement" / "supplement.pdf")
    left, running = text.partition("Begun and left")[2].split("Running now")
    assert ".world_model.partial" not in left
    assert ".world_model.partial" in running
    assert "nav_replicates/3/.model.partial" in text
    assert "causal_replicates/1, seed 1" in text


def test_proofs_are_drawn_among_right_and_wrong_answers_and_again_the_same(tmp_path: Path) -> None:
    about = {"key": "e", "maker": "m", "config": {}, "code_version": "1", "source": "synthetic"}
    with artifact.build(tmp_path / "e", **about) as part:
        (part.path / "proofs").mkdir()
        for kind, num in (("right", 9), ("wrong", 3)):
            for number in range(num):
                (part.path / "proofs" / f"{kind}_{number}.txt").write_text(f"{kind} {number}")
    manifest = artifact.read_manifest(tmp_path / "e")
    drawn = examples.draw(tmp_path / "e", manifest)
    assert drawn is not None
    assert dict(drawn.num_sealed) == {"right": 9, "wrong": 3}
    assert {kind: len(files) for kind, files in drawn.files.items()} == {"right": 2, "wrong": 2}
    assert examples.draw(tmp_path / "e", manifest) == drawn
    assert examples.draw(tmp_path / "e", manifest.model_copy(update={"files": {}})) is None


def test_a_command_has_the_preset_and_what_differs(root: Path) -> None:
    model = artifact.read_manifest(root / "nav_replicates" / "1" / "model")
    assert preset_of(model).name == "debug"
    assert set(preset_of(model).changed) <= {"training.seed"}
    assert command(model) == (
        "dagster asset materialize --select nav_replicates --partition 1 --config-json "
        """'{"ops": {"nav_replicates": {"config": {"preset": "debug"}}}}'"""
    )
    data = artifact.read_manifest(root / "mazes")
    assert (preset_of(data).name, dict(preset_of(data).changed)) == ("debug", {})


def test_cards_need_something_to_describe(tmp_path: Path) -> None:
    for make in (make_model_cards, make_dataset_cards):
        with pytest.raises(InputError, match="nothing that has a card is sealed"):
            make(tmp_path, tmp_path / "cards")


def test_a_released_study_is_not_beside_synthetic_results(root: Path, paper: Path, copied: Path) -> None:
    sealed_study(copied, "world_ablations", "recordings")
    captions = {table.name: table.caption for table in every_table(read_inputs(copied))}
    assert "recordings" in captions["ablations_world_ablations"]
    assert not any("recordings" in text for name, text in captions.items() if name != "ablations_world_ablations")
