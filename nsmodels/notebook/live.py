"""Pictures in a notebook's front end; without one, nothing happens and nothing fails."""

from __future__ import annotations

import io
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nsmodels.core.errors import InputError
from nsmodels.engine.tracking import Record
from nsmodels.evaluation import plots

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SECONDS_BETWEEN_PICTURES = 1.0
SHARE_OF_DRAWING = 0.1  # at most so much of the training's time


def has_front_end() -> bool:
    """Whether a notebook shows what is displayed here."""
    return getattr(_shell(), "kernel", None) is not None


def show(figure: Figure, handle: Any = None) -> Any:
    """Display a figure as PNG, in the place of an earlier one where its handle is given; returns the handle."""
    return show_png(as_png(figure), handle)


def show_png(content: bytes, handle: Any = None) -> Any:
    """Display a PNG, likewise."""
    if not has_front_end():
        return None
    from IPython.display import Image, display  # there, since a front end is

    image = Image(data=content, format="png")
    if handle is None:
        return display(image, display_id=True)
    handle.update(image)
    return handle


def as_png(figure: Figure) -> bytes:
    """The figure at the resolution of a screen."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=80)
    return stream.getvalue()


def tell_errors_in_one_line(kind: type[InputError]) -> None:
    """Show errors of a kind without their traceback, in IPython."""
    shell = _shell()
    if shell is not None:
        shell.set_custom_exc((kind,), _tell)


def _tell(shell: Any, kind: type, error: BaseException, trace: Any, tb_offset: int | None = None) -> None:
    print(f"error: {error}", file=sys.stderr)


def _shell() -> Any:
    """IPython's shell, when Python runs in one; IPython itself is never imported for it."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


class LiveCurves:
    """A tracker that draws the curves of the training under way in `folder`, one picture per network.

    Read from the training's own files, so that a resumed run shows its earlier epochs too.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._handles: dict[str, Any] = {}
        self._next = 0.0

    def epoch(self, record: Record) -> None:
        """Draw anew, at most once a second."""
        began = time.monotonic()
        if began >= self._next:
            self._draw()
            spent = time.monotonic() - began
            self._next = began + max(SECONDS_BETWEEN_PICTURES, spent / SHARE_OF_DRAWING)

    def close(self) -> None:
        """Draw the last epochs of the network that is finished."""
        self._draw()

    def _draw(self) -> None:
        newest = max(self._folder.glob("*/metrics.jsonl"), key=lambda path: path.stat().st_mtime_ns, default=None)
        rows = [json.loads(line) for line in newest.read_text().splitlines()] if newest and has_front_end() else []
        if newest and rows:
            name = newest.parent.name
            figure = plots.training_curves(rows)
            figure.suptitle(f"{name}: epoch {rows[-1]['epoch']}", fontsize=9)
            self._handles[name] = show(figure, self._handles.get(name))
