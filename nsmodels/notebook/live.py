"""Pictures and texts in a notebook's front end; without one, pictures are left out."""

from __future__ import annotations

import html
import io
import json
import struct
import sys
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nsmodels.core.errors import InputError
from nsmodels.engine.tracking import Record
from nsmodels.evaluation import plots

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HIGHEST = 560  # pixels of a picture that is as high as it is wide
SECONDS_BETWEEN_PICTURES = 1.0
SHARE_OF_DRAWING = 0.1  # largest share of the training's time spent on drawing


def has_front_end() -> bool:
    """Whether a notebook's front end displays the output."""
    return getattr(_shell(), "kernel", None) is not None


def show(figure: Figure, handle: Any = None) -> Any:
    """Display a figure as PNG and return its handle; with the `handle` of an earlier figure, replace that one."""
    return show_png(as_png(figure), handle)


def show_png(content: bytes, handle: Any = None) -> Any:
    """Display PNG bytes and return a handle; with a `handle`, replace its picture."""
    if not has_front_end():
        return None
    from IPython.display import Image, display  # installed, since there is a front end

    image = Image(data=content, format="png", height=_height(content))
    if handle is None:
        return display(image, display_id=True)
    handle.update(image)
    return handle


def show_text(text: str) -> None:
    """Display lines as they are, which a front end would wrap; without a front end, print them."""
    if not has_front_end():
        print(text)
        return
    from IPython.display import display

    style = "white-space: pre; overflow-x: auto"
    lines = f'<pre style="{style}">{html.escape(text)}</pre>'
    display({"text/plain": text, "text/html": lines}, raw=True)


def _height(content: bytes) -> int | None:
    """Height at which a PNG is displayed, so that a square or an upright one fits on a screen; None: its own."""
    width, height = struct.unpack(">II", content[16:24])
    return HIGHEST if height > HIGHEST and width < 1.3 * height else None


def as_png(figure: Figure) -> bytes:
    """PNG bytes of the figure at 80 dots per inch, the resolution of a screen."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=80)
    return stream.getvalue()


def show_errors_in_one_line(kind: type[InputError]) -> None:
    """Show errors of type `kind` in IPython without their traceback."""
    shell = _shell()
    if shell is not None:
        shell.set_custom_exc((kind,), _print_error)


def prepare_display() -> None:
    """Show tables with their whole text, and no warning of libraries that would like to show widgets."""
    import pandas as pd

    warnings.filterwarnings("ignore", message="IProgress not found")
    pd.options.display.max_colwidth = 160


def _print_error(shell: Any, kind: type, error: BaseException, trace: Any, tb_offset: int | None = None) -> None:
    print(f"error: {error}", file=sys.stderr)


def _shell() -> Any:
    """IPython's shell, when Python runs in one; IPython itself is never imported for it."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


class LiveCurves:
    """A tracker that draws the curves of the training in `folder`, one picture per network.

    The curves are read from the training's own files, so that a resumed run shows its earlier epochs too.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._handles: dict[str, Any] = {}
        self._next = 0.0

    def epoch(self, record: Record) -> None:
        """Redraw, at most once a second and for at most a tenth of the training's time."""
        began = time.monotonic()
        if began >= self._next:
            self._draw()
            spent = time.monotonic() - began
            self._next = began + max(SECONDS_BETWEEN_PICTURES, spent / SHARE_OF_DRAWING)

    def close(self) -> None:
        """Draw the last epochs of the finished network."""
        self._draw()

    def _draw(self) -> None:
        newest = max(self._folder.glob("*/metrics.jsonl"), key=lambda path: path.stat().st_mtime_ns, default=None)
        rows = (
            [json.loads(line) for line in newest.read_text(encoding="utf-8").splitlines()]
            if newest and has_front_end()
            else []
        )
        if newest and rows:
            name = newest.parent.name
            figure = plots.training_curves(rows)
            figure.suptitle(f"{name}: epoch {rows[-1]['epoch']}", fontsize=9)
            self._handles[name] = show(figure, self._handles.get(name))
