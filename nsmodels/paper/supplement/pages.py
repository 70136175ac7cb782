"""Pages of text and pictures as one PDF with embedded fonts, drawn by matplotlib."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, final

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH, HEIGHT, MARGIN = 8.27, 11.69, 0.75  # A4, in inches
SIZE, LINE = 7.0, 9.2  # points: height of letters, and from line to line
LETTERS = 115  # of the fixed width, in a line
LINES = int((HEIGHT - 2 * MARGIN) * 72 / LINE) - 1  # on a page, the last is its number
HEAD, TEXT = "head", "text"
RC: Any = {"pdf.fonttype": 42, "text.parse_math": False, "pdf.compression": 6}


@final
class Pages:
    """A PDF that is written page by page; to be used in a `with` block. The same calls give the same bytes."""

    def __init__(self, path: Path, title: str) -> None:
        self._path, self._title = path, title
        self._lines: list[tuple[str, str]] = []
        self._number = 0

    def __enter__(self) -> Self:
        """Open the file."""
        from matplotlib import rc_context
        from matplotlib.backends.backend_pdf import PdfPages

        self._context = rc_context(RC)
        self._context.__enter__()
        about = {"Title": self._title, "CreationDate": None, "ModDate": None}
        self._pdf = PdfPages(self._path, metadata=about)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write the last page and close the file."""
        try:
            if kind is None:
                self._flush()
            self._pdf.close()
        finally:
            self._context.__exit__(kind, error, trace)

    def head(self, text: str) -> None:
        """A heading, on the same page as what follows."""
        if len(self._lines) > LINES - 5:
            self._flush()
        self._lines += [*([(TEXT, "")] if self._lines else []), (HEAD, text), (TEXT, "")]

    def text(self, text: str) -> None:
        """A paragraph."""
        self.lines([*textwrap.wrap(text, LETTERS), ""])

    def lines(self, lines: Iterable[str]) -> None:
        """Lines in letters of one width; one that is too long goes on below, further in."""
        for line in lines:
            indent = " " * (len(line) - len(line.lstrip()) + 4)
            for part in textwrap.wrap(line, LETTERS, subsequent_indent=indent, break_on_hyphens=False) or [""]:
                if len(self._lines) >= LINES:
                    self._flush()
                self._lines.append((TEXT, part))

    def table(self, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Cells in columns; the first column gives way where a line would be too long."""
        cells = [list(heads), *map(list, rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        widths[0] = min(widths[0], max(12, LETTERS - sum(widths[1:]) - 2 * (len(widths) - 1)))
        for number, line in enumerate(cells):
            first = textwrap.wrap(line[0], widths[0]) or [""]
            rest = "  ".join(f"{cell:>{width}}" for cell, width in zip(line[1:], widths[1:], strict=True))
            self.lines([f"{first[0]:<{widths[0]}}  {rest}", *first[1:]])
            if number == 0:
                self.lines(["-" * min(LETTERS, sum(widths) + 2 * (len(widths) - 1))])
        self.lines([""])

    def picture(self, path: Path, caption: str) -> None:
        """A picture on a page of its own, with its caption."""
        from matplotlib.image import imread

        self._flush()
        page = self._page()
        page.text(MARGIN / WIDTH, 1 - MARGIN / HEIGHT, textwrap.fill(caption, 100), va="top", fontsize=SIZE + 1)
        axis = page.add_axes((MARGIN / WIDTH, MARGIN / HEIGHT, 1 - 2 * MARGIN / WIDTH, 1 - 3 * MARGIN / HEIGHT))
        axis.imshow(imread(path), interpolation="none")
        axis.set_axis_off()
        axis.set_anchor("N")
        self._write(page)

    def _flush(self) -> None:
        """Write the lines that wait as a page; none where there are none."""
        if not self._lines:
            return
        page = self._page()
        for number, (kind, text) in enumerate(self._lines):
            if text:
                style = {"weight": "bold", "fontsize": SIZE + 3} if kind == HEAD else {"family": "monospace"}
                page.text(MARGIN / WIDTH, _height(number), text, **{"va": "top", "fontsize": SIZE, **style})
        self._lines = []
        self._write(page)

    def _page(self) -> Figure:
        from matplotlib.figure import Figure

        return Figure(figsize=(WIDTH, HEIGHT))

    def _write(self, page: Figure) -> None:
        self._number += 1
        page.text(0.5, MARGIN / 2 / HEIGHT, str(self._number), ha="center", fontsize=SIZE)
        self._pdf.savefig(page)


def _height(number: int) -> float:
    """Place of a line on its page, from below, as a share of the height."""
    return 1 - (MARGIN + number * LINE / 72) / HEIGHT
