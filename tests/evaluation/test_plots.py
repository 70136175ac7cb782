from __future__ import annotations

import numpy as np
import pytest
from matplotlib.patches import Rectangle
from PIL import Image

from nsmodels.core.errors import InputError
from nsmodels.evaluation import plots, printing

HISTORY = [
    {"epoch": k, "lr": 0.1 / k, "train/loss": 1 / k, "val/accuracy": 1 - 1 / k} | ({"val/loss": 2 / k} if k % 2 else {})
    for k in range(1, 6)
]


def test_training_curves_show_each_split_where_it_was_measured():
    left, right = plots.training_curves(HISTORY, "val/accuracy").axes
    drawn = {line.get_label(): np.asarray(line.get_xydata()).tolist() for line in left.lines}
    assert drawn.keys() == {"train/loss", "val/loss", "val/accuracy"}
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

    figure = plots.training_curves(HISTORY, "val/accuracy")
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


def test_series_differ_without_their_colours():
    grey = [(plots.line(k)["linestyle"], plots.line(k)["marker"]) for k in range(len(plots.COLOURS))]
    assert len(set(grey)) == len({plots.fill(k)["hatch"] for k in range(len(plots.COLOURS))}) == len(plots.COLOURS)
