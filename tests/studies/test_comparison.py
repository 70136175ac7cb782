"""Variants against the full model: intervals over seeds and items, verdicts, the table, what a figure refuses."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy import stats

from nsmodels.core.errors import InputError
from nsmodels.evaluation import plots
from nsmodels.evaluation.outcomes import Outcomes, read_outcomes, write_file
from nsmodels.studies import figure, groups
from nsmodels.studies.comparison import Cost, Row, Size, compare, paired_interval, verdict_of
from nsmodels.studies.report import frame, table
from nsmodels.studies.variant import FULL, REPLACED, Group, Variant

SEEDS = (0, 1, 2)
NUM, PER_IMAGE = 60, 5
ITEMS = [f"val/{k}" for k in range(NUM)]
IMAGES = [str(k // PER_IMAGE) for k in range(NUM)]


def outcomes(scores: np.ndarray, metric: str = "accuracy", **values) -> Outcomes:
    return Outcomes(metric, "val", ITEMS, IMAGES, scores.astype(float), **values)


def drawn(share: float, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random(NUM) < share


def scored(make: Callable[[int], list[Outcomes]]) -> dict[int, list[Outcomes]]:
    return {seed: make(seed) for seed in SEEDS}


def costs(names: list[str]) -> dict[str, list[Cost]]:
    return {n: [Cost(Size(90 if n != FULL else 100, None), 10.0)] * len(SEEDS) for n in names}


def study(margin: float = 0.01) -> list[Row]:
    """A part that surely helps, one that surely hurts by a metric of which less is better, one that changes nothing."""
    full = scored(lambda seed: [outcomes(drawn(0.9, seed)), outcomes(drawn(0.5, 9 + seed), "slips", direction="lower")])
    poor = scored(lambda seed: [outcomes(drawn(0.3, seed)), full[seed][1]])
    calm = scored(lambda seed: [full[seed][0], outcomes(drawn(0.05, 9 + seed), "slips", direction="lower")])
    variants = {
        "eyes": Variant("eyes", {"eyes": 0}),
        "haste": Variant("haste", {"haste": 0}, metric="slips"),
        "hat": Variant("a hat", evaluation={"hat": True}, adds=True),
    }
    found = {FULL: full, "eyes": poor, "haste": calm, "hat": full}
    return compare(variants, found, costs(list(found)), margin)


def by_name(rows: list[Row]) -> dict[str, Row]:
    return {row.variant: row for row in rows if row.is_judged}


def test_verdicts_are_those_of_the_interval_in_the_direction_of_the_metric() -> None:
    rows = by_name(study())
    assert {name: row.verdict for name, row in rows.items()} == {
        FULL: "-", "eyes": "helps", "haste": "hurts", "hat": "does not matter"
    }  # fmt: skip
    assert rows["eyes"].gain == pytest.approx(rows[FULL].mean - rows["eyes"].mean)
    assert rows["haste"].metric == "slips"
    slips = next(row for row in study() if row.variant == FULL and row.metric == "slips")
    assert rows["haste"].gain == pytest.approx(rows["haste"].mean - slips.mean)
    assert rows["hat"].changed == 0
    assert rows["eyes"].parameters_removed == 10
    assert rows["eyes"].gains == pytest.approx(
        [a - b for a, b in zip(rows[FULL].scores, rows["eyes"].scores, strict=True)]
    )


def test_an_added_part_is_judged_the_other_way_round() -> None:
    full, more = (scored(lambda seed, p=p: [outcomes(drawn(p, seed))]) for p in (0.3, 0.9))
    variants = {"map": Variant("a map", {"map": 1}, adds=True)}
    row = by_name(compare(variants, {FULL: full, "map": more}, costs([FULL, "map"]), 0.01))["map"]
    assert row.gain == pytest.approx(
        row.mean - by_name(compare(variants, {FULL: full, "map": more}, costs([FULL, "map"]), 0))[FULL].mean
    )
    assert row.verdict == "helps"


@pytest.mark.parametrize(
    ("gain", "interval", "changed", "seeds", "verdict"),
    [
        (0.05, (0.01, 0.09), 0.2, 3, "helps"),
        (-0.05, (-0.09, -0.01), 0.2, 3, "hurts"),
        (0.002, (-0.004, 0.008), 0.2, 3, "does not matter"),
        (0.002, (-0.02, 0.03), 0.2, 3, "not shown"),
        (0.0, None, 0.0, 3, "does not matter"),
        (0.1, None, 0.1, 3, "not shown"),
        (0.05, (0.01, 0.09), 0.2, 2, "-"),
    ],
)
def test_a_verdict_needs_three_seeds_and_an_interval(gain, interval, changed, seeds, verdict) -> None:
    assert verdict_of(gain, interval, changed, seeds, 0.01) == verdict


def test_without_noise_of_seeds_the_interval_is_students_over_clusters() -> None:
    """Equal differences with every seed, one item a cluster: the textbook interval of a mean."""
    rng = np.random.default_rng(0)
    values = rng.normal(0.2, 1, 40)
    low, high = paired_interval(np.stack([values] * 3), [str(k) for k in range(40)])
    expected = stats.t.interval(0.95, 39, values.mean(), stats.sem(values))
    assert (low, high) == pytest.approx(expected)


def test_without_noise_of_items_the_interval_is_students_over_seeds() -> None:
    values = np.array([0.1, 0.3, 0.2, 0.6])
    low, high = paired_interval(np.repeat(values[:, None], 30, 1), [str(k) for k in range(30)])
    assert (low, high) == pytest.approx(stats.t.interval(0.95, 3, values.mean(), stats.sem(values)))


@pytest.mark.parametrize(("of_seeds", "of_images"), [(0.05, 0.3), (0.3, 0.05), (0.1, 0.1)])
def test_intervals_cover_the_true_difference(of_seeds: float, of_images: float) -> None:
    """Trainings and images are drawn anew each time: of 95 % intervals, at least 93 % contain the truth."""
    rng, hits, num = np.random.default_rng(1), 0, 600
    clusters = np.repeat(np.arange(12), 4)
    for _ in range(num):
        seeds, images = rng.normal(0, of_seeds, (3, 1)), rng.normal(0, of_images, 12)[clusters]
        low, high = paired_interval(0.2 + seeds + images + rng.normal(0, 0.2, (3, 48)), clusters.astype(str).tolist())
        hits += low <= 0.2 <= high
    assert hits / num >= 0.93


def test_what_cannot_be_compared_is_refused() -> None:
    full = scored(lambda seed: [outcomes(drawn(0.5, seed))])
    variants = {"eyes": Variant("eyes", {"eyes": 0})}
    both = costs([FULL, "eyes"])
    with pytest.raises(InputError, match=r"expected scores of seeds \[0, 1, 2\], got \[0\]"):
        compare(variants, {FULL: full, "eyes": {0: full[0]}}, both, 0)
    fewer = [Outcomes("accuracy", "val", ITEMS[1:], IMAGES[1:], np.ones(NUM - 1))]
    with pytest.raises(InputError, match="'eyes', seed 0: accuracy is of different items"):
        compare(variants, {FULL: full, "eyes": {**full, 0: fewer}}, both, 0)
    with pytest.raises(InputError, match="is judged by 'taste'"):
        compare({"eyes": replace(variants["eyes"], metric="taste")}, {FULL: full, "eyes": full}, both, 0)


def test_the_table_has_every_variant_once_and_the_frame_every_metric() -> None:
    rows = study()
    text = table({"mini": rows}, {"mini": "synthetic"}, 0.01)
    lines = text.splitlines()
    assert sum("(eyes)" in line for line in lines) == 1
    assert any("eyes (eyes)" in line and "helps" in line and "-10" in line for line in lines)
    assert any("slips in % (lower is better)" in line for line in lines)
    found = frame({"mini": rows})
    assert len(found) == 8
    assert found.groupby("variant")["metric"].nunique().eq(2).all()
    assert isinstance(found, pd.DataFrame)
    few = [replace(row, seeds=row.seeds[:2], verdict="-") for row in rows]
    assert "no verdicts: fewer than 3 seeds" in table({"mini": few}, {"mini": "synthetic"}, 0.01)


def test_a_figure_refuses_one_seed_mixed_sources_and_unequal_splits() -> None:
    parts = {"one": study(), "two": study()}
    synthetic = {"one": "synthetic GQA", "two": "synthetic GQA, synthetic VQA"}
    figure.require_sound(parts, synthetic, "study")
    with pytest.raises(InputError, match="study: mixed sources"):
        figure.require_sound(parts, {**synthetic, "two": "GQA 1.2"}, "study")
    other = [replace(row, split="ood") for row in parts["two"]]
    with pytest.raises(InputError, match="study: accuracy: unequal splits"):
        figure.require_sound({**parts, "two": other}, synthetic, "study")
    further = [replace(row, metric=f"ood_{row.metric}", split="ood") for row in parts["two"]]
    figure.require_sound({**parts, "two": further}, synthetic, "study")
    single = [replace(row, seeds=(0,)) for row in parts["two"]]
    with pytest.raises(InputError, match="study: has 1 seed; expected at least 3"):
        figure.require_sound({**parts, "two": single}, synthetic, "study")


def test_the_figure_shows_every_part_with_its_interval() -> None:
    (axis,) = figure.draw({"mini": study()}).axes
    assert [label.get_text().split("\n")[0] for label in axis.get_yticklabels()] == ["eyes", "haste", "a hat"]
    row = by_name(study())["eyes"]
    ends = [line.get_xdata() for line in axis.lines if len(line.get_xdata()) == 2]
    assert any(np.allclose(each, [100 * (row.gain_low or 0), 100 * (row.gain_high or 0)]) for each in ends)


def many_parts(num: int) -> dict[str, list[Row]]:
    """Parts of a study with six variants each, the same in all."""
    words = ("rounds after the first", "levels, against one graph", "traces of the oracle", "the two of a pair")
    judged = [row for row in study() * 2 if row.is_judged and row.variant != FULL]
    rows = [replace(row, variant=f"{row.variant}_{k}", about=words[k % 4]) for k, row in enumerate(judged)]
    return {f"domain_{number}": rows for number in range(num)}


def test_a_figure_of_many_panels_has_two_columns_on_a_page(tmp_path: Path) -> None:
    few, many = figure.draw(many_parts(1)), figure.draw(many_parts(6))
    assert {axis.get_subplotspec().get_gridspec().ncols for axis in few.axes} == {1}
    assert {axis.get_subplotspec().get_gridspec().ncols for axis in many.axes} == {2}
    plots.save_figure(many, tmp_path / "many", "Gain", "synthetic", is_printed=True, width=plots.PAGE)
    with Image.open(tmp_path / "many.png") as picture:
        assert picture.width / 300 <= plots.PAGE + 0.01
        assert picture.height / 300 <= 9  # inches of a page
    places = {axis.get_subplotspec().rowspan.start for axis in many.axes}
    assert len(places) == len(many.axes) / 2
    many.draw_without_rendering()
    labels = [text for axis in many.axes for text in axis.get_yticklabels() if text.get_text()]
    assert len(labels) == 6 * len(places)  # panels side by side share them
    boxes = [text.get_window_extent() for text in labels]
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))
    assert figure.draw(many_parts(40)).get_figheight() <= figure.TALLEST


def test_the_best_of_some_variants_is_compared_with_the_best_of_others(tmp_path: Path) -> None:
    rates = {"no_a": 0.8, "no_b": 0.7, "only_a": 0.3, "only_b": 0.4}
    found = {name: scored(lambda seed, n=n, p=p: [outcomes(drawn(p, 10 * seed + n))]) for n, (name, p) in
             enumerate({FULL: 0.9, **rates}.items())}  # fmt: skip
    for name, by_seed in found.items():
        for seed, (each,) in by_seed.items():
            place = tmp_path / "mini" / name / str(seed) / "scores"
            place.mkdir(parents=True)
            write_file(place / "outcomes.parquet", each)
    rows = compare({name: Variant(name, {name: 0}) for name in rates}, found, costs(list(found)), 0.01)
    pair = Group("the best pair", ("no_a", "no_b"), ("only_a", "only_b"))
    (row,) = groups.compared(tmp_path, {"mini": rows}, [pair, Group("absent", ("no_c",), ("only_a",))])
    assert (row["first"], row["second"], row["metric"], row["seeds"]) == ("no_a", "only_b", "accuracy", [0, 1, 2])
    gains = np.stack([found["no_a"][seed][0].scores - found["only_b"][seed][0].scores for seed in SEEDS])
    assert row["gain"] == pytest.approx(gains.mean())
    assert (row["low"], row["high"]) == pytest.approx(paired_interval(gains, IMAGES))
    assert groups.line(row, rows[0]).startswith(
        f"the best pair, accuracy: no_a over only_b {100 * gains.mean():+.2f} ["
    )


def test_the_figure_of_a_part_with_a_long_name_fits_the_column_of_a_page(tmp_path: Path) -> None:
    about = "horizon: cells asked when a signal can reach them, and none before that"
    rows = [replace(row, about=about, verdict="does not matter") for row in study()]
    plots.save_figure(figure.draw({"mini": rows}), tmp_path / "f", "Gain", "synthetic", is_printed=True)
    assert (tmp_path / "f.pdf").is_file()


def test_a_variant_is_judged_by_several_metrics_of_several_splits_and_the_figure_has_a_panel_for_each() -> None:
    full = scored(lambda seed: [outcomes(drawn(0.9, seed)), replace(outcomes(drawn(0.9, seed), "far"), split="ood")])
    poor = scored(lambda seed: [outcomes(drawn(0.3, seed)), full[seed][1]])
    variants = {"eyes": Variant("eyes", {"eyes": 0}, also=("far",))}
    rows = compare(variants, {FULL: full, "eyes": poor}, costs([FULL, "eyes"]), 0.01)
    judged = {row.metric: row for row in rows if row.variant == "eyes"}
    assert {name: (row.is_judged, row.split, row.verdict) for name, row in judged.items()} == {
        "accuracy": (True, "val", "helps"), "far": (True, "ood", "does not matter")
    }  # fmt: skip
    text = table({"mini": rows}, {"mini": "synthetic"}, 0.01)
    assert "of split val" in text
    assert "of split ood" in text
    assert [axis.get_title() for axis in figure.draw({"mini": rows}).axes] == ["mini: accuracy", "mini: far"]


def test_what_is_removed_is_counted_in_the_quantity_of_the_variant() -> None:
    full = scored(lambda seed: [outcomes(drawn(0.5, seed))])
    variants = {
        "eyes": Variant("eyes", {"eyes": 0}),
        "turns": Variant("turns", {"turns": 0}, removes="views"),
        "map": Variant("a map", {"map": 1}, adds=True, removes="views"),
        "wheels": Variant("legs, against wheels", {"legs": 0}, removes=REPLACED),
    }
    names, views = [FULL, *variants], {FULL: 8, "eyes": 8, "turns": 1, "map": 16, "wheels": 8}
    counts = {name: {"views": views[name]} for name in names}
    rows = compare(variants, dict.fromkeys(names, full), costs(names), 0.01, counts)
    assert {row.variant: (row.quantity, row.amount, row.removed) for row in rows} == {
        FULL: ("-", None, None), "eyes": ("parameters", 100, 10), "turns": ("views", 8, 7), "map": ("views", 16, 8),
        "wheels": (REPLACED, None, None),
    }  # fmt: skip
    lines = table({"mini": rows}, {"mini": "synthetic"}, 0.01).splitlines()
    shown = {name: next(line for line in lines if f"({name})" in line) for name in variants}
    assert "7 of 8 views" in shown["turns"]
    assert "8 of 16 views" in shown["map"]
    assert "replaced" in shown["wheels"]
    with pytest.raises(InputError, match="variant 'turns': removes views, which are not counted"):
        compare(variants, dict.fromkeys(names, full), costs(names), 0.01)


def test_nothing_is_shown_by_a_model_that_can_do_nothing() -> None:
    nothing = scored(lambda seed: [outcomes(np.zeros(NUM)), outcomes(np.ones(NUM), "slips", direction="lower")])
    variants = {"eyes": Variant("eyes", {"eyes": 0}, also=("slips",))}
    rows = compare(variants, {FULL: nothing, "eyes": nothing}, costs([FULL, "eyes"]), 0.01)
    assert [row.verdict for row in rows if row.variant == "eyes"] == ["not shown", "not shown"]


def rows_by_metric(full: dict, own: dict) -> dict[str, Row]:
    variants = {"eyes": Variant("eyes", {"eyes": 0}, also=("slips",))}
    rows = compare(variants, {FULL: full, "eyes": own}, costs([FULL, "eyes"]), 0.05)
    return {row.metric: row for row in rows if row.variant == "eyes"}


@pytest.mark.parametrize(
    ("share", "chance", "verdict"),
    [(0.5, 0.5, "not shown"), (0.9, 0.5, "does not matter"), (0.5, None, "does not matter")],
)
def test_of_a_model_that_guesses_no_part_matters(share: float, chance: float | None, verdict: str) -> None:
    """Nor by a metric for which chance is not known, as slips, which are fewest where nothing is tried."""
    slips = outcomes(np.zeros(NUM), "slips", direction="lower")
    full = scored(lambda seed: [outcomes(drawn(share, seed), chance=chance), slips])
    found = rows_by_metric(full, full)
    assert {row.verdict for row in found.values()} == {verdict}
    assert found["accuracy"].chance == chance
    assert found["slips"].is_above_chance == (None if chance is None else share > chance)


def test_the_table_has_the_level_of_chance_and_who_is_no_better() -> None:
    variants = {"eyes": Variant("eyes", {"eyes": 0})}
    for share, line in ((0.25, "; chance 25.0, the full model is not shown to be better"), (0.9, "; chance 25.0\n")):
        full = scored(lambda seed, share=share: [outcomes(drawn(share, seed), chance=0.25)])
        rows = compare(variants, {FULL: full, "eyes": full}, costs([FULL, "eyes"]), 0.01)
        assert line in table({"mini": rows}, {"mini": "synthetic"}, 0.01)
        assert frame({"mini": rows})["is_above_chance"].tolist() == [share > 0.5] * 2


@pytest.mark.parametrize(("gain", "verdict"), [(1.0, "helps"), (-1.0, "hurts")])
def test_a_part_without_which_everything_changes_has_a_verdict_without_an_interval(gain: float, verdict: str) -> None:
    ends = [np.ones(NUM), np.zeros(NUM)] if gain > 0 else [np.zeros(NUM), np.ones(NUM)]
    full, own = (scored(lambda seed, end=end: [outcomes(end)]) for end in ends)
    variants = {"eyes": Variant("eyes", {"eyes": 0})}
    row = by_name(compare(variants, {FULL: full, "eyes": own}, costs([FULL, "eyes"]), 0.01))["eyes"]
    assert (row.gain, row.gain_low, row.verdict) == (gain, None, verdict)
    assert verdict_of(gain, None, 1.0, 3, 0.01, num_clusters=5) == "not shown"


@pytest.mark.parametrize("chance", [None, 0.25])
def test_outcomes_keep_their_chance_in_a_file(chance: float | None, tmp_path: Path) -> None:
    write_file(tmp_path / "outcomes.parquet", outcomes(drawn(0.5, 0), chance=chance))
    assert read_outcomes(tmp_path / "outcomes.parquet").chance == chance
    with pytest.raises(InputError, match="expected the chance of accuracy within its bounds, got 25"):
        outcomes(drawn(0.5, 0), chance=25)


def test_equal_differences_have_no_interval_whatever_their_rounding() -> None:
    assert paired_interval(np.full((3, 40), 0.1) + 0.2 - 0.2, [str(k) for k in range(40)]) is None


@pytest.mark.parametrize(("unit", "verdict"), [("share", "not shown"), ("", "does not matter")])
def test_the_margin_of_an_error_is_a_share_of_it(unit: str, verdict: str) -> None:
    """A difference of about 0.02: more than a point of a share, less than one percent of an error of 10."""
    size, noise = (0.5 if unit else 10.0), np.random.default_rng(0).normal(0, 0.1, NUM)
    how = {"unit": unit, "bounds": (0, 1 if unit else None), "direction": "lower"}
    full = scored(lambda seed: [outcomes(np.full(NUM, size), "error", **how)])
    more = scored(lambda seed: [outcomes(size + noise - noise.mean() + 0.02, "error", **how)])
    variants = {"eyes": Variant("eyes", {"eyes": 0})}
    row = by_name(compare(variants, {FULL: full, "eyes": more}, costs([FULL, "eyes"]), 0.01))["eyes"]
    assert row.verdict == verdict


def test_parts_of_long_names_have_their_place_in_a_column(tmp_path: Path) -> None:
    """Names as the systems have them; the panels keep a part of the width, the labels do not lie on each other."""
    words = ["horizon: cells asked when a signal can reach them", "the level of clusters, against rounds over nodes"]
    rows = [replace(row, about=words[k % 2]) for k, row in enumerate(study())]
    drawn = figure.draw({"mazes_counting": rows})
    plots.save_figure(drawn, tmp_path / "study", "Gain", "synthetic", is_printed=True)
    with Image.open(tmp_path / "study.png") as picture:
        assert picture.width / 300 <= plots.COLUMN + 0.01
    drawn.draw_without_rendering()
    boxes = [label.get_window_extent() for axis in drawn.axes for label in axis.get_yticklabels()]
    assert all(above.y0 >= below.y1 for above, below in itertools.pairwise(boxes))


def test_an_interval_of_a_gain_ends_where_no_gain_can_be():
    rows = [replace(row, gain_low=-0.5, gain_high=1.4) if row.variant == "eyes" else row for row in study()]
    wide = by_name(rows)["eyes"]
    assert wide.gain_ends == (-0.5, 1.0)
    assert "[-50.00, +100.00]" in table({"p": rows}, {"p": "synthetic"}, 0.01)
    assert replace(wide, unit="nats").gain_ends == (-0.5, 1.4)
    assert replace(wide, gain_low=None).gain_ends == (None, None)
