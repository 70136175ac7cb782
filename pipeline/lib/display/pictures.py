"""Pictures in metadata: a PNG as base64 in markdown, which the web UI shows in a dialog without access to the file."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from nsmodels.evaluation import plots

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_BYTES = 300_000  # of PNG in one metadata entry: each is a row of the event log


def inline(path: Path) -> dg.MarkdownMetadataValue:
    """The PNG file at `path` as markdown."""
    return markdown(path.read_bytes(), path.stem)


def markdown(png: bytes, name: str, legend: str = "") -> dg.MarkdownMetadataValue:
    """A PNG as markdown, reduced to at most `MAX_BYTES`; `name` is the alternative text.

    `legend`: text above it, for a picture without a caption of its own; below, a high picture would hide it.
    """
    content = png if len(png) <= MAX_BYTES else _reduced(png)
    picture = f"![{name}](data:image/png;base64,{base64.b64encode(content).decode()})"
    return dg.MetadataValue.md(f"{legend}\n\n{picture}" if legend else picture)


def bars(panels: Mapping[str, Mapping[Any, float]], columns: int = 2) -> dg.MarkdownMetadataValue:
    """One bar chart per panel, in the order of `panels` (title to bar heights by name), `columns` side by side."""
    from matplotlib.figure import Figure

    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(6 * columns, 2.4 * rows), layout="constrained")
    for number, (title, values) in enumerate(panels.items()):
        axes = figure.add_subplot(rows, columns, number + 1)
        names = [str(name) for name in values]
        axes.bar(range(len(names)), list(values.values()), width=0.8)
        axes.set_title(title, fontsize=9)
        if len(names) <= 30:
            axes.set_xticks(range(len(names)), names, rotation=60, ha="right", fontsize=7)
    return markdown(rendered(figure), ", ".join(panels))


def rendered(figure: Figure) -> bytes:
    """A matplotlib figure as PNG."""
    stream = io.BytesIO()
    plots.keep_dollars(figure)
    figure.savefig(stream, format="png", dpi=90)
    return stream.getvalue()


def _reduced(png: bytes) -> bytes:
    from PIL import Image

    with Image.open(io.BytesIO(png)) as picture:
        small = picture.convert("RGB")
    while len(png) > MAX_BYTES:
        stream = io.BytesIO()
        small.quantize(128).save(stream, "PNG", optimize=True)
        png = stream.getvalue()
        small = small.resize((max(1, small.width * 3 // 4), max(1, small.height * 3 // 4)))
    return png
