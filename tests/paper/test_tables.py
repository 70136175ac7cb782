"""Tables of the paper: every number is that of the sealed artifacts; what must not stand together is refused."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pypdf import PdfReader

from nsmodels.core import artifact, disk
from nsmodels.core.errors import InputError
from nsmodels.evaluation import ledger
from nsmodels.evaluation.outcomes import MODEL, OUTCOMES, files_of, read_outcomes, write_file
from nsmodels.evaluation.replication import student_interval
from nsmodels.paper.contents import NothingSealed
from nsmodels.paper.inputs import read_inputs
from nsmodels.paper.recipes import has_preset, labels
from nsmodels.paper.results import read_results, require_alike
from nsmodels.paper.supplement.artifact import make_supplement
from nsmodels.paper.tables.artifact import every_table, make_tables
from nsmodels.paper.tables.latex import MOST_LINES, SMALLEST, Table, document, escaped
from nsmodels.paper.tables.rows import ablations
from nsmodels.studies.variant import FULL
from tests.shared import resealed
from tests.studies.test_comparison import study

SEEDS = ("0", "1", "2")
PDFLATEX = shutil.which("pdflatex")
HAS_LATEX = pytest.mark.skipif(
    PDFLATEX is None, reason="LaTeX is not installed: apt-get install texlive-latex-recommended"
)
JOURNAL = r"""\documentclass[10pt,twocolumn]{article}\usepackage[T1]{fontenc}\usepackage[utf8]{inputenc}
\usepackage{booktabs,graphicx,textcomp}\begin{document}%s\end{document}"""


@pytest.fixture(scope="module")
def tables(sealed: Path) -> dict[str, Table]:
    return {table.name: table for table in every_table(read_inputs(sealed))}


def rows_of(table: Table) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table.csv())))


def evaluation(root: Path, training: str, seed: str) -> Path:
    return root / f"{training}_replicates" / seed / "evaluation"


def test_there_is_a_table_for_each_system_and_for_all(tables: dict[str, Table]) -> None:
    assert {f"results_{name}_synthetic" for name in ("nav", "graph", "all")} < tables.keys()
    assert {
        "baselines_nav_synthetic",
        "baselines_graph_synthetic",
        "ablations_visual_ablations",
        "costs",
    } < tables.keys()
    assert [row["training"] for row in rows_of(tables["results_all_synthetic"])] == ["causal", "nav"]


@pytest.mark.parametrize(
    ("name", "training"), [("results_nav_synthetic", "nav"), ("results_graph_synthetic", "causal")]
)
def test_every_score_is_that_of_the_outcomes(sealed: Path, tables: dict[str, Table], name: str, training: str) -> None:
    found = [[read_outcomes(path) for path in files_of(evaluation(sealed, training, seed))] for seed in SEEDS]
    rows = {row["metric"]: row for row in rows_of(tables[name])}
    assert rows.keys() == {each.metric for each in found[0]}
    for several in zip(*found, strict=True):
        row, scores = rows[several[0].metric], [each.mean for each in several]
        assert float(row["mean"]) == pytest.approx(np.mean(scores), abs=1e-15)
        assert [float(word) for word in row["scores"].split()] == scores
        ends = student_interval(scores, measure=several[0].measure)
        assert [row["low"], row["high"]] == [str(end) for end in ends] if ends else ["", ""]
        assert (int(row["num_items"]), row["split"]) == (len(several[0].items), several[0].split)
        assert (row["seeds"], row["source"]) == ("0 1 2", artifact.read_manifest(sealed / row["data"]).source)


@pytest.mark.parametrize(("training", "chance"), [("nav", "random"), ("causal", "chance")])
def test_chance_baselines_and_ceiling_are_those_of_the_manifests(
    sealed: Path, tables: dict[str, Table], training: str, chance: str
) -> None:
    metrics = [artifact.read_manifest(evaluation(sealed, training, seed)).metrics for seed in SEEDS]
    (row,) = [row for row in rows_of(tables["results_all_synthetic"]) if row["training"] == training]
    system = {"nav": "nav", "causal": "graph"}[training]
    own = [row for row in rows_of(tables[f"baselines_{system}_synthetic"]) if row["training"] == training]
    shown = {line[0]: line[1] for line in tables[f"baselines_{system}_synthetic"].lines}
    headline = own[0]["metric"]
    beside = {row["baseline"]: float(row["score"]) for row in own if row["metric"] == headline}
    named = {key.removeprefix("baseline/") for key in metrics[0] if key.startswith("baseline/") and key.count("/") == 1}
    assert named <= beside.keys()
    for name in named:
        assert beside[name] == pytest.approx(np.mean([each[f"baseline/{name}"] for each in metrics]))
    assert shown.keys() == named | {"the model"}
    assert all(float(shown[name]) == pytest.approx(100 * beside[name], abs=0.051) for name in named)
    assert float(shown["the model"]) == pytest.approx(100 * float(row["mean"]), abs=0.051)
    assert float(row["chance"]) == beside[chance]
    assert row["best_baseline"] == max(named - {chance}, key=beside.__getitem__)
    if training == "nav":
        assert float(row["ceiling"]) == pytest.approx(
            np.mean([each[f"ceiling/{row['ceiling_name']}"] for each in metrics])
        )


def test_costs_are_those_of_the_manifests(sealed: Path, tables: dict[str, Table]) -> None:
    models = [artifact.read_manifest(sealed / "nav_replicates" / seed / "model") for seed in SEEDS]
    (row,) = [row for row in rows_of(tables["costs"]) if row["training"] == "nav"]
    assert int(row["size"]) == models[0].metrics["num_parameters"]
    assert float(row["train_cpu_seconds"]) == pytest.approx(np.mean([m.metrics["train_cpu_seconds"] for m in models]))
    is_measured = all(any(key.endswith("_joules") for key in model.metrics) for model in models)
    assert (row["joules"] != "") == is_measured
    assert ("not measured" in tables["costs"].latex()) == (not is_measured)


def test_parts_of_a_model_are_those_of_the_study(tables: dict[str, Table]) -> None:
    rows = {row["variant"]: row for row in rows_of(tables["ablations_visual_ablations"])}
    assert "full" not in rows
    assert {row["verdict"] for row in rows.values()} == {"helps", "hurts", "does not matter"}


def test_the_score_by_chance_is_beside_that_of_a_part() -> None:
    rows = [replace(row, chance=0.25) if row.variant == "eyes" else row for row in study()]
    table = ablations("visual_ablations", {"mini": rows}, {"mini": "synthetic"}, "debug")
    place = table.heads.index("chance")
    assert {line[1]: line[place] for line in table.lines} == {"eyes": "25.0", "haste": "--", "a hat": "--"}
    assert {row["variant"]: row["chance"] for row in rows_of(table)} == {"eyes": "0.25", "haste": "", "hat": ""}


def test_the_energy_of_a_model_names_what_was_counted(copied: Path) -> None:
    for seed in SEEDS:
        model = copied / "nav_replicates" / seed / "model"
        metrics = dict(artifact.read_manifest(model).metrics)
        for phase in [key.removesuffix("/device") for key in metrics if key.endswith("/device")]:
            metrics |= {f"{phase}/cpu_joules": 30.0, f"{phase}/energy_of": "package-0; without gpu"}
        resealed(model, metrics=metrics)
        scored = copied / "nav_replicates" / seed / "evaluation"
        shutil.copy(model / artifact.MANIFEST, scored / MODEL)
        key, mark = f"nav_replicates/{seed}/model", disk.sha256_of(model / artifact.MANIFEST)
        inputs = dict(artifact.read_manifest(scored).inputs)
        resealed(scored, inputs=inputs | {key: inputs[key].model_copy(update={"manifest_sha256": mark})})
    (costs,) = [each for each in every_table(read_inputs(copied)) if each.name == "costs"]
    assert "counted: package-0; without gpu. Machine:" in costs.caption
    assert {row["training"]: row["energy_of"] for row in rows_of(costs)}["nav"] == "package-0; without gpu"
    make_supplement(copied, copied / "supplement")
    text = "".join(page.extract_text() for page in PdfReader(copied / "supplement" / "supplement.pdf").pages)
    assert "energy of nav_replicates/1/model: package-0; without gpu" in text
    made = artifact.read_manifest(copied / "supplement")
    assert made.metrics["joules_of"] == "energy of 3 of 6"


def test_a_study_of_the_full_model_alone_is_left_out_with_its_reason(copied: Path) -> None:
    full = [row for row in study() if row.variant == FULL]
    assert rows_of(ablations("visual_ablations", {"mini": full}, {"mini": "synthetic"}, "debug")) == []
    report = copied / "visual_ablations" / "report.json"
    content = json.loads(report.read_text())
    for part in content["parts"].values():
        part["rows"] = [row for row in part["rows"] if row["variant"] == FULL]
    report.write_text(json.dumps(content))
    resealed(copied / "visual_ablations")
    found = read_inputs(copied)
    assert "visual_ablations" not in found.studies
    assert "has no variant beside the full model" in found.left_out["visual_ablations"]


def test_each_row_of_a_study_names_its_own_split() -> None:
    rows = [replace(row, split="far") if row.variant == "haste" else row for row in study()]
    table = ablations("visual_ablations", {"mini": rows}, {"mini": "synthetic"}, "debug")
    assert [line[0] for line in table.lines] == ["mini, val", "mini, far", "mini, val"]
    assert "split" not in table.caption


def test_latex_has_rules_and_as_many_cells_as_heads(tables: dict[str, Table]) -> None:
    for table in tables.values():
        text = table.latex()
        assert [text.count(rf"\{rule}") for rule in ("toprule", "midrule", "bottomrule")] == [1, 1, 1]
        body = text.partition(r"\toprule")[2].partition(r"\bottomrule")[0]
        lines = [line for line in body.splitlines() if line.strip() and "rule" not in line]
        assert {line.replace(r"\&", "").count("&") for line in lines} == {len(table.heads) - 1}
        assert all(line.endswith(r" \\") for line in lines)
        assert text.count("{") == text.count("}")
        assert text.isascii() or set(text) <= {chr(code) for code in range(0x250)}
        assert rf"\input{{{table.name}}}" in document(list(tables.values()))


@HAS_LATEX
def test_latex_sets_every_table_within_the_width_of_a_page(copied: Path, tmp_path: Path) -> None:
    folder = copied / "paper_tables"
    make_tables(copied, folder)
    options = ["-interaction=nonstopmode", "-halt-on-error", f"-output-directory={tmp_path}"]
    done = subprocess.run(
        [str(PDFLATEX), *options, "tables.tex"], cwd=folder, capture_output=True, text=True, errors="replace"
    )
    assert done.returncode == 0, done.stdout
    assert "Overfull" not in done.stdout
    assert "Float too large" not in done.stdout
    assert "Missing character" not in (tmp_path / "tables.log").read_text(errors="replace")
    assert (tmp_path / "tables.pdf").stat().st_size > 0


def set_by_latex(folder: Path, text: str) -> tuple[float, str]:
    """Points of the smallest letters of a document that is set beside its tables, and the log of LaTeX."""
    (folder / "document.tex").write_text(text)
    options = ["-interaction=nonstopmode", "-halt-on-error"]
    done = subprocess.run(
        [str(PDFLATEX), *options, "document.tex"], cwd=folder, capture_output=True, text=True, errors="replace"
    )
    assert done.returncode == 0, done.stdout
    sizes = []

    def visit(found: str, now: list[float], of_text: list[float], _: Any, size: float) -> None:
        if found.strip():  # a turned or shrunk box is drawn through matrices
            scales = (abs(m[0] * m[3] - m[1] * m[2]) ** 0.5 for m in (now, of_text))
            sizes.append(size * np.prod(list(scales)))

    for page in PdfReader(folder / "document.pdf").pages:
        page.extract_text(visitor_text=visit)
    return min(sizes), (folder / "document.log").read_text(errors="replace")


def one_row(*cells: str, heads: list[str] | None = None, caption: str = "What it shows.") -> Table:
    named = heads or [f"column {n}" for n in range(len(cells))]
    return Table("one_row", caption, named, [list(cells)], [{"n": 1}], left=max(1, len(cells) - 1))


WIDE = {
    "main": one_row(
        *("long_chains", "quick, 3 fields changed", "long_chains_mini, test (trained on synthetic)", "rank error in %"),
        *("98.1", "97.1–99.9", "3", "12,345", "12.3", "34.5 most_frequent_by_type", "99.0 exact solver"),
    ),
    "word": one_row("a search", "x" * 900, "1.0"),
    "configuration": one_row("nav_search", "quick", ", ".join(f"training.field_{n}=0.000{n}" for n in range(30)), "1"),
}


@HAS_LATEX
@pytest.mark.parametrize("page", ["own", "journal"])
@pytest.mark.parametrize("name", WIDE)
def test_letters_of_wide_tables_are_large_enough(name: str, page: str, tmp_path: Path) -> None:
    (tmp_path / "one_row.tex").write_text(WIDE[name].latex())
    text = document([WIDE[name]]) if page == "own" else JOURNAL % r"\input{one_row}"
    smallest, log = set_by_latex(tmp_path, text)
    assert smallest >= SMALLEST
    assert "Overfull" not in log
    assert "letters below" not in log


@HAS_LATEX
def test_latex_warns_of_a_table_for_which_no_page_is_wide_enough(tmp_path: Path) -> None:
    table = one_row(*["0.123"] * 60)
    (tmp_path / "one_row.tex").write_text(table.latex())
    smallest, log = set_by_latex(tmp_path, document([table]))
    assert smallest < SMALLEST
    assert "one_row.tex has letters below 6 pt; set it on a larger page" in log.replace("\n", "")


@HAS_LATEX
@pytest.mark.parametrize("first", ["[new] part", "*starred", "a\n\nb", "a\x01b\x7f", "Ŀ ŉ ſ ȿ ɏ", "ÀÿŐž¿§ß"])
def test_words_of_every_kind_are_set_as_they_are(first: str, tmp_path: Path) -> None:
    table = replace(long_table(2), lines=[["a row", "", "1.0"], [first, first, "2.0"]], caption=f"One.\n\nTwo {first}")
    (tmp_path / "long.tex").write_text(table.latex())
    _, log = set_by_latex(tmp_path, document([table]))
    assert "Missing character" not in log
    text = "".join(page.extract_text() for page in PdfReader(tmp_path / "document.pdf").pages)
    for word in ("[new]", "*starred"):
        assert text.count(word) == 3 * (word in first)


def test_a_row_of_many_lines_takes_their_place_on_a_page() -> None:
    table = replace(long_table(20), lines=[["part", f"row {n}", "word " * 40] for n in range(20)])
    floats = table.latex().split(r"\end{table*}")[:-1]
    heights = [each.partition(r"\midrule")[2].count(r"\\") for each in floats]
    assert sum(each.count("row ") for each in floats) == 20
    assert sum(heights) > 20
    assert max(heights) <= MOST_LINES


def long_table(num: int) -> Table:
    lines = [[f"part {n // 20}", f"row {n}", "1.0"] for n in range(num)]
    return Table("long", "Many lines.", ["part", "line", "score"], lines, [{"n": n} for n in range(num)], left=2)


@pytest.mark.parametrize("num", [1, MOST_LINES, MOST_LINES + 1, 100])
def test_a_table_that_is_longer_than_a_page_goes_on_in_a_further_one(num: int) -> None:
    text = long_table(num).latex()
    floats = text.split(r"\end{table*}")[:-1]
    rows = [[line for line in each.splitlines() if "row " in line] for each in floats]
    assert [line.split(" & ")[1] for page in rows for line in page] == [f"row {n}" for n in range(num)]
    assert max(map(len, rows)) <= MOST_LINES
    assert len(floats) == 1 or num > MOST_LINES
    assert (text.count(r"\label{tab:long}"), text.count("Many lines.")) == (1, 1)
    for page in rows[:-1]:
        assert "row 19 " in page[-1] or "row 39 " in page[-1] or "row 59 " in page[-1] or "row 79 " in page[-1]


@HAS_LATEX
@pytest.mark.parametrize("width", [1, 30])
def test_latex_sets_long_and_wide_tables_on_pages(width: int, tmp_path: Path) -> None:
    table = long_table(100)
    table = replace(
        table, heads=[*table.heads, *["more"] * width], lines=[[*x, *["0.123"] * width] for x in table.lines]
    )
    (tmp_path / "long.tex").write_text(table.latex())
    (tmp_path / "tables.tex").write_text(document([table]))
    options = ["-interaction=nonstopmode", "-halt-on-error"]
    done = subprocess.run([str(PDFLATEX), *options, "tables.tex"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert "Float too large" not in done.stdout
    assert "Overfull" not in done.stdout


def test_words_are_escaped_for_latex() -> None:
    assert escaped("a_b & 95 % of {x} ~ 1–2 \\") == r"a\_b \& 95 \% of \{x\} \textasciitilde{} 1--2 \textbackslash{}"
    assert escaped("∀") == "U+2200"
    assert escaped("[a] * \x01\x7f\n\nȿé") == "{[}a] {*} U+0001U+007F U+023Fé"


def test_the_artifact_is_kept_and_holds_every_table(copied: Path) -> None:
    made = make_tables(copied, copied / "paper_tables")
    before = (copied / "paper_tables" / artifact.MANIFEST).stat().st_mtime_ns
    assert {"results_nav_synthetic.tex", "results_nav_synthetic.csv", "costs.csv", "tables.tex"} < made.files.keys()
    assert make_tables(copied, copied / "paper_tables") == made
    assert (copied / "paper_tables" / artifact.MANIFEST).stat().st_mtime_ns == before


def test_a_training_of_one_seed_is_left_out_and_named_with_its_command(copied: Path) -> None:
    for seed in ("1", "2"):
        (copied / "nav_replicates" / seed / "evaluation").rename(copied / "nav_replicates" / seed / ".gone")
    found = read_results(copied)
    assert {result.training for result in found.found} == {"causal"}
    line = found.left_out["nav"]
    assert "nav_replicates: 1 seed (0), and an interval over seeds needs 3" in line
    assert "dagster asset materialize --select nav_replicates --partition-range 0...2" in line
    with pytest.raises(InputError, match="1 seed"):
        read_inputs(copied, is_strict=True)
    (copied / "causal_replicates").rename(copied / ".causal_replicates")
    with pytest.raises(NothingSealed, match="1 seed"):
        make_tables(copied, copied / "paper_tables")
    assert not (copied / "paper_tables").exists()


def test_evaluations_of_different_code_are_refused_with_both_names_and_the_command(copied: Path) -> None:
    resealed(evaluation(copied, "nav", "2"), code_version="0")
    with pytest.raises(InputError) as caught:
        read_results(copied)
    line = str(caught.value)
    assert "nav_replicates/0 and nav_replicates/2: of different code versions" in line
    assert line.endswith("dagster asset materialize --select nav_replicates --partition-range 0...2")
    assert "\n" not in line


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            {"source": "CLEVR v1.0"},
            "mixed sources, nav_replicates/1 of released data, nav_replicates/0 of synthetic data",
        ),
        ({"trained_on": "CLEVR v1.0"}, "mixed sources"),
        ({"split": "ood"}, "unequal splits, nav_replicates/1 on 'ood', nav_replicates/0 on 'test'"),
        ({"data_fingerprint": "0"}, "of different data"),
        ({"configuration": {"training": {"lr": 1.0}}}, r"of different configurations \(model\."),
    ],
)
def test_what_is_not_alike_is_refused(sealed: Path, change: dict[str, object], line: str) -> None:
    nav = next(result for result in read_results(sealed).found if result.training == "nav" and result.first.is_headline)
    require_alike("nav", nav.manifests, nav.alike)
    entries = {**nav.alike, "1": nav.alike["1"].model_copy(update=change)}
    with pytest.raises(InputError, match=line):
        require_alike("nav", nav.manifests, entries)


def test_every_table_names_the_preset(sealed: Path, tables: dict[str, Table]) -> None:
    for name, table in tables.items():
        if name.startswith("baselines"):
            assert ": debug" in table.caption.partition("Presets: ")[2]
        elif name.startswith("ablations"):
            assert "Preset: none" in table.caption  # the study is not of a system's own presets
        else:
            assert "preset" in table.heads
            assert {row["preset"] for row in rows_of(table)} == {"debug"}


def test_a_preset_that_was_changed_is_not_named_as_the_plain_one(copied: Path) -> None:
    for seed in SEEDS:
        model = copied / "nav_replicates" / seed / "model"
        config = json.loads(json.dumps(artifact.read_manifest(model).config))
        config["training"]["lr"] *= 2
        resealed(model, config=config)
    manifest = artifact.read_manifest(model)
    assert labels([manifest]) == "debug, 1 field changed; data debug"
    assert not has_preset(manifest, "debug")


def test_an_entry_of_the_ledger_that_was_changed_is_not_in_a_table(copied: Path) -> None:
    before = {(r.training, r.first.metric): r.mean for r in read_results(copied).found}
    ledger.scan(copied)
    for path in (copied / "ledger").glob("*/entry.json"):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"score": 0.123, "baselines": {}}))
    assert {(r.training, r.first.metric): r.mean for r in read_results(copied).found} == before


def test_outcomes_that_were_changed_are_refused(copied: Path) -> None:
    path = evaluation(copied, "nav", "1") / OUTCOMES
    scored = read_outcomes(path)
    write_file(path, replace(scored, scores=1 - scored.scores))
    with pytest.raises(InputError, match=r"outcomes\.parquet: differs from its checksum"):
        read_results(copied)


def test_a_report_that_was_changed_is_refused_also_where_the_tables_would_be_kept(copied: Path) -> None:
    make_tables(copied, copied / "paper_tables")
    report = evaluation(copied, "nav", "1") / "report.json"
    report.write_text(report.read_text().replace("1", "2", 1))
    with pytest.raises(InputError, match=r"nav_replicates/1/evaluation/report\.json"):
        make_tables(copied, copied / "paper_tables")


def test_an_evaluation_of_a_model_that_was_made_again_is_refused_with_the_command(copied: Path) -> None:
    resealed(copied / "nav_replicates" / "1" / "model", fingerprint="0" * 16)
    with pytest.raises(InputError, match=r"its model was made again since; .* nav_replicates --partition 1$"):
        read_results(copied)


def test_an_unsound_study_is_left_out_with_its_reason(copied: Path) -> None:
    report = copied / "visual_ablations" / "report.json"
    content = json.loads(report.read_text())
    for row in content["parts"]["gqa_mini"]["rows"]:
        row["seeds"] = [0]
    report.write_text(json.dumps(content))
    resealed(copied / "visual_ablations")
    found = read_inputs(copied)
    assert "visual_ablations" not in found.studies
    assert "has 1 seed; expected at least 3" in found.left_out["visual_ablations"]


@pytest.mark.parametrize("kind", ["search", "hyperparameters"])
def test_a_search_is_a_row_with_its_outcome_and_what_further_seeds_showed(copied: Path, kind: str) -> None:
    found = {"best/value": 0.9, "unchanged/value": 0.8, "best/training.lr": 0.003, "confirmation/gain": 0.01}
    about: Any = {"key": "nav_search", "maker": "nsmodels.systems.nav", "config": {}, "code_version": "1"}
    with artifact.build(copied / "nav_search", kind=f"study: {kind}", source="synthetic mazes", **about) as part:
        report = {
            "metric": "val/success",
            "mode": "max",
            "space": {"training.lr": "0.0003 to 0.03"},
            "trials": [{}, {}],
        }
        (part.path / "report.json").write_text(json.dumps(report))
        (part.path / "best.yaml").write_text("training:\n  lr: 0.003\n")
        part.metrics |= found | {"confirmation/low": -0.1, "confirmation/high": 0.2}
    (table,) = [each for each in every_table(read_inputs(copied)) if each.name == "searches"]
    assert table.lines == [
        ["nav_search", "--", "val/success (max)", "2", "0.8", "0.9", "+0.01 [-0.1, +0.2]", "training.lr=0.003"]
    ]
