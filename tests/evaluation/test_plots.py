from __future__ import annotations

import numpy as np
import pytest
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from PIL import Image
from pypdf import PdfReader

from nsmodels.core.errors import InputError
from nsmodels.evaluation import plots, printing

HISTORY = [
    {"epoch": k, "lr": 0.1 / k, "train/loss": 1 / k, "val/accuracy": 1 - 1 / k} | ({"val/loss": 2 / k} if k % 2 else {})
    for k in range(1, 6)
]


def test_training_curves_show_each_split_where_it_was_measured():
    left, middle, right = plots.training_curves(HISTORY).axes
    drawn = {line.get_label(): np.asarray(line.get_xydata()).tolist() for line in left.lines}
    assert drawn.keys() == {"train/loss", "val/loss"}
    assert {line.get_label(): list(line.get_ydata()) for line in middle.lines} == {
        "accuracy": [pytest.approx(100 * (1 - 1 / k)) for k in range(1, 6)]
    }
    assert len(plots.training_curves([{**row, "val/accuracy": 0.5} for row in HISTORY], {}).axes) == 2
    assert len(plots.losses({"parser": HISTORY, "other": [{"epoch": 1, "train/loss": 2.0}]}).axes) == 3
    assert drawn["val/loss"] == [[1, 2], [3, pytest.approx(2 / 3)], [5, pytest.approx(0.4)]]
    assert np.asarray(right.lines[0].get_ydata())[1] == 0.05


def test_curves_of_a_single_epoch_are_seen_and_have_a_whole_epoch():
    figures = [plots.training_curves(HISTORY[:1]), plots.losses({"parser": HISTORY[:1]})]
    for axis in (axis for figure in figures for axis in figure.axes):
        low, high = axis.get_xlim()
        assert [tick for tick in axis.get_xticks() if low <= tick <= high] == [HISTORY[0]["epoch"]]
        assert axis.lines
        assert all(line.get_marker() not in ("", "None") for line in axis.lines)


def test_figures_are_saved_twice_with_their_source(tmp_path):
    rng = np.random.default_rng(0)
    confidence = rng.random(500)
    figures = {
        "curves": plots.training_curves(HISTORY),
        "reliability": plots.reliability_diagram(confidence, rng.random(500) < confidence),
        "depth": plots.histogram({"CLEVR": rng.integers(2, 9, 100), "GQA": rng.integers(1, 5, 100)}, "depth"),
        "rows": plots.bars({"chance": 0.04, "ours": 0.97}, "accuracy", {"ours": (0.96, 0.98)}),
    }
    for name, figure in figures.items():
        pdf, png = plots.save_figure(figure, tmp_path / "figures" / name, "A caption", "synthetic CLEVR")
        assert pdf.read_bytes().startswith(b"%PDF")
        with Image.open(png) as picture:
            assert picture.info["Description"] == "A caption. Data: synthetic CLEVR."
            assert np.asarray(picture.convert("L")).std() > 5
    with pytest.raises(InputError, match="needs its data source"):
        plots.save_figure(figures["rows"], tmp_path / "x", "A caption", " ")


@pytest.mark.parametrize("is_printed", [False, True])
def test_names_with_dollar_signs_are_drawn_as_they_are(tmp_path, is_printed):
    figure, (axis,) = plots.make_figure()
    axis.bar([0, 1], [1, 2], label="a$_b$")
    axis.set_xticks([0, 1], ["costs $\\nothing$", "x$^2$"])
    axis.set(title="from $5$ to $6$", ylabel="y$_1$", yscale="log", ylim=(1, 1000))
    axis.legend()
    pdf, _ = plots.save_figure(figure, tmp_path / "names", "Of $one$ kind", "a$b$c", is_printed)
    text = PdfReader(pdf).pages[0].extract_text()
    for name in ("a$_b$", "costs $\\nothing$", "x$^2$", "from $5$ to $6$", "y$_1$", "Of $one$ kind. Data: a$b$c."):
        assert name in text
    assert "mathdefault" not in text  # powers of ten are still set as such


def test_powers_of_small_ticks_are_set_though_the_large_ones_are_named(tmp_path):
    figure, (axis,) = plots.make_figure()
    axis.loglog([1, 2], [1000, 5000])
    axis.set_yticks([1000], ["a thousand"])
    pdf, _ = plots.save_figure(figure, tmp_path / "powers", "Powers", "numbers")
    assert "mathdefault" not in PdfReader(pdf).pages[0].extract_text()


def test_long_names_with_dollar_signs_leave_a_printed_panel_its_height(tmp_path):
    heights = []
    for sign in ("", "$"):
        figure, (axis,) = plots.make_figure()
        axis.bar(range(4), range(4))
        axis.set_xticks(range(4), [f"price of {sign}{k} in a long name of a variant, {sign}{k} each" for k in range(4)])
        plots.save_figure(figure, tmp_path / "names", "Prices", "numbers", is_printed=True)
        heights.append(axis.get_position().height * figure.get_figheight())
    assert heights[1] == pytest.approx(heights[0], rel=0.1)


def test_histogram_gives_whole_numbers_a_bin_each():
    axis = plots.histogram({"depth": [2, 2, 3, 5]}, "depth").axes[0]
    boxes = [patch for patch in axis.patches if isinstance(patch, Rectangle)]
    drawn = {round(box.get_x() + box.get_width() / 2): box.get_height() for box in boxes}
    assert drawn == {2: 0.5, 3: 0.25, 4: 0.0, 5: 0.25}


def test_no_history_no_curves():
    with pytest.raises(InputError, match="history is empty"):
        plots.training_curves([])


def test_a_printed_figure_is_one_column_wide_with_letters_that_can_be_read(tmp_path):
    from matplotlib.text import Text

    figure = plots.training_curves(HISTORY, {})
    figure.axes[0].text(1.02, 0.5, "words beside the panel", transform=figure.axes[0].transAxes, fontsize=14)
    plots.save_figure(figure, tmp_path / "curves", "A caption", "synthetic CLEVR", is_printed=True)
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.width / 300 <= plots.COLUMN + 0.01
    left, right = (axis.get_position() for axis in figure.axes)
    assert left.y0 > right.y1  # below each other
    sizes = [text.get_fontsize() for text in figure.findobj(Text) if text.get_text()]
    assert min(sizes) >= printing.SMALLEST
    assert max(sizes) <= printing.LARGEST


def test_a_wide_legend_and_long_labels_have_their_place_in_a_column(tmp_path):
    figure, (axis,) = plots.make_figure(width=5.4, height=3.2)
    for number, name in enumerate(("image and question only", "question alone", "CNN and LSTM from scratch")):
        axis.bar([place + 0.2 * number for place in range(6)], [1] * 6, 0.2, label=name)
    axis.set_xticks(range(6), ["all of them", "choose", "compare", "logical", "query", "verify"])
    figure.legend(loc="outside upper center", ncols=3, frameon=False, fontsize=8)
    plots.save_figure(figure, tmp_path / "bars", "A caption", "synthetic GQA", is_printed=True)
    with Image.open(tmp_path / "bars.png") as picture:
        assert picture.width / 300 <= plots.COLUMN + 0.01
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "image and question only", "question alone", "CNN and LSTM from scratch",
    ]  # fmt: skip
    assert {label.get_rotation() for label in axis.get_xticklabels()} == {45}


def printed(figure, tmp_path):
    """The figure as it is printed: the PNG, and the words of the PDF with their height above its lower edge, points."""
    pdf, png = plots.save_figure(figure, tmp_path / "printed", "A caption", "synthetic GQA", is_printed=True)
    found = {}

    def visit(text, matrix, of_text, _, size):
        for line in filter(None, map(str.strip, text.splitlines())):
            found[line] = of_text[5] * matrix[3] + matrix[5]

    PdfReader(pdf).pages[0].extract_text(visitor_text=visit)
    with Image.open(png) as picture:
        return picture.copy(), found


def many_lines(num=8, side="lower", **how):
    figure, (axis,) = plots.make_figure(width=5.4, height=3.2)
    for k in range(num):
        axis.plot([1, 2], [k, k + 1], label=f"answerer number {k}", **plots.line(k))
    figure.legend(loc=f"outside {side} center", ncols=num, fontsize=8, **how)
    return figure


def test_a_legend_below_the_panels_is_above_the_caption_in_the_file(tmp_path):
    _, heights = printed(many_lines(), tmp_path)
    caption = next(height for text, height in heights.items() if text.startswith("A caption"))
    legend = [height for text, height in heights.items() if text.startswith("answerer")]
    assert len(legend) == 8
    assert min(legend) > caption + printing.SMALLEST


def test_a_legend_that_is_wrapped_keeps_title_frame_and_the_look_of_its_series(tmp_path):
    figure = many_lines(title="answerers", frameon=True)
    axis = figure.axes[0]
    axis.errorbar([1, 2], [3, 4], [0.2, 0.2], label="with error bars", marker="s", linestyle=":")
    figure.legends[0].remove()
    figure.legend(loc="outside lower center", ncols=9, title="answerers", frameon=True)
    before = [type(each) for each in figure.legends[0].legend_handles]
    drawn = len(figure.legends[0].findobj(Line2D))
    printed(figure, tmp_path)
    (legend,) = figure.legends
    assert (legend.get_title().get_text(), legend.get_frame_on()) == ("answerers", True)
    assert [type(each) for each in legend.legend_handles] == before
    assert len(legend.findobj(Line2D)) == drawn
    assert legend.get_window_extent().width <= plots.COLUMN * figure.dpi
    assert [text.get_text() for text in legend.get_texts()][-1] == "with error bars"


def test_a_legend_of_one_column_that_is_too_wide_goes_on_in_further_lines(tmp_path):
    figure, (axis,) = plots.make_figure(width=5.4, height=3.2)
    axis.plot(
        [1, 2], [1, 2], label="a very long name of what answers that is far wider than the column of a page, really"
    )
    axis.plot([1, 2], [2, 1], label="b")
    figure.legend(loc="outside upper center", ncols=2)
    picture, _ = printed(figure, tmp_path)
    assert picture.width / 300 <= plots.COLUMN + 0.01


def test_a_legend_without_entries_is_no_error(tmp_path):
    figure, (axis,) = plots.make_figure()
    axis.plot([1, 2], [1, 2])
    figure.legend([], [], loc="outside upper center", ncols=2)
    picture, _ = printed(figure, tmp_path)
    assert picture.width > 0


def test_labels_of_small_ticks_do_not_lie_on_each_other(tmp_path):
    figure, (axis,) = plots.make_figure(width=5.4, height=3.2)
    axis.plot([1, 2, 3, 4, 5, 6, 8], [1] * 7)
    axis.set_xscale("log")
    printed(figure, tmp_path)
    assert {label.get_rotation() for label in axis.get_xticklabels(which="both")} == {45}


def test_a_long_name_below_a_panel_leaves_it_its_height(tmp_path):
    figure, (axis,) = plots.make_figure(width=5.4, height=3.2)
    names = [
        "choose",
        "compare",
        "logical",
        "query",
        "verify",
        "relations",
        "attributes",
        "a very long name of a category",
    ]
    axis.bar(range(len(names)), [1] * len(names))
    axis.set_xticks(range(len(names)), names)
    printed(figure, tmp_path)
    assert axis.get_position().height > 0.4
    assert [label.get_text().replace("\n", " ") for label in axis.get_xticklabels()] == names


def test_series_differ_without_their_colours():
    grey = [(plots.line(k)["linestyle"], plots.line(k)["marker"]) for k in range(len(plots.COLOURS))]
    assert len(set(grey)) == len({plots.fill(k)["hatch"] for k in range(len(plots.COLOURS))}) == len(plots.COLOURS)
