"""Tables as LaTeX with booktabs, and as CSV."""

from __future__ import annotations

import csv
import io
import itertools
import math
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "\"": r"\textquotedbl{}",
    "[": "{[}", "*": "{*}",  # else, first in a row, they are an option of the end of the row before
    "–": "--", "−": r"\ensuremath{-}", "±": r"\ensuremath{\pm}", "×": r"\ensuremath{\times}", "→": r"\ensuremath{\to}",
    "…": r"\ldots{}", "²": r"\ensuremath{^2}", "≥": r"\ensuremath{\ge}", "≤": r"\ensuremath{\le}",
}  # fmt: skip
SPECIAL_LETTERS = re.compile("|".join(map(re.escape, SPECIAL)))
UNKNOWN = re.compile("[^ -~\xa0-\u0125\u0128-\u0137\u0139-\u013e\u0141-\u0148\u014a-\u0165\u0168-\u017e]")  # to T1
NONE = "--"  # in a cell without a value
MOST_LINES = 34  # of a table on one page, with a caption of no more than `CAPTION` letters
CAPTION, CAPTION_LINE = 600, 150  # letters: in four lines or so, and in one of them
LETTERS, WORD, HEAD = 20, 40, 10  # of a line in a cell; of a word in it that is not broken; of a line in a head
SMALLEST = 6  # points: where letters would be smaller, a table is turned

# Letters of a table that is wider than the page are smaller; of one that is turned its width is the height of the page.
SIZE = r"\dimexpr\csname f@size\endcsname pt*\number\dimen0/\number\wd0\relax"
PLACED = rf"""  \dimen0=\linewidth
  \ifdim{SIZE}<{SMALLEST}pt \ifdim0.8\textheight>\dimen0 \dimen0=0.8\textheight\fi\fi
  \ifdim{SIZE}<{SMALLEST}pt \GenericWarning{{}}{{LaTeX Warning: \detokenize{{%s}}.tex has letters below {SMALLEST} pt;
    set it on a larger page}}\fi
  \ifdim\wd0>\dimen0 \sbox0{{\resizebox{{\dimen0}}{{!}}{{\usebox0}}}}\fi
  \ifdim\dimen0>\linewidth \rotatebox{{90}}{{\usebox0}}\else\usebox0\fi"""
CONTINUED = r"  \addtocounter{table}{-1}\caption{continued}"


@dataclass(frozen=True)
class Table:
    """One table of the paper.

    Attributes:
        name: of its files and its label.
        caption: what it shows, with the source of the data.
        heads: of the columns.
        lines: text of every cell, a line per row.
        rows: the same as plain values of full precision, by column of the CSV.
        left: number of columns, from the first on, that hold words and are set to the left.
    """

    name: str
    caption: str
    heads: Sequence[str]
    lines: Sequence[Sequence[str]]
    rows: Sequence[Mapping[str, Any]]
    left: int = 1

    def latex(self) -> str:
        """Floating tables: \\toprule, the heads, \\midrule, the rows, \\bottomrule; needs booktabs, graphicx, T1 fonts.

        One, or as many as there are pages to fill: LaTeX does not break a float. Long cells have several lines. Letters
        are no smaller than 6 points; where the page has no place for that, LaTeX warns.
        """
        return "\n".join(self._float(lines, number) for number, lines in enumerate(self._pages()))

    def _pages(self) -> list[Sequence[Sequence[str]]]:
        """The lines of each page; a page ends where the first column changes, if that leaves it half full at least."""
        left, pages = list(self.lines), []
        further = max(0, math.ceil((len(self.caption) - CAPTION) / CAPTION_LINE))
        most = MOST_LINES - max(map(len, self._heads()), default=1) + 1 - further
        while (end := _fitting(left, most)) < len(left):
            ends = [n for n in range(max(1, end // 2), end + 1) if left[n - 1][0] != left[n][0]]
            end = ends[-1] if ends and self.left > 1 else end
            pages.append(left[:end])
            left = left[end:]
        return [*pages, left]

    def _heads(self) -> list[list[str]]:
        """The lines of each head: no wider than the cells below it, if they leave place for a word."""
        cells = [[_lines(line[column]) for line in self.lines] for column in range(len(self.heads))]
        widths = [max([HEAD, *(len(line) for lines in column for line in lines)]) for column in cells]
        return [
            textwrap.wrap(head, width, break_long_words=False) or [""]
            for head, width in zip(self.heads, widths, strict=True)
        ]

    def _row(self, cells: Sequence[Sequence[str]], place: str) -> str:
        """The cells of a row, each given by its lines, that are aligned at the top ("t") or the bottom ("b")."""
        sides = ["l" if column < self.left else "r" for column in range(len(self.heads))]
        return "    " + " & ".join(_cell(*pair, place) for pair in zip(cells, sides, strict=True)) + r" \\"

    def _float(self, lines: Sequence[Sequence[str]], number: int) -> str:
        columns = "l" * self.left + "r" * (len(self.heads) - self.left)
        body = [self._row(list(map(_lines, line)), "t") for line in lines]
        caption = rf"  \caption{{{escaped(self.caption)}}}"
        titles = [caption, rf"  \label{{tab:{self.name}}}"] if number == 0 else [CONTINUED]
        return "\n".join(
            [
                r"\begin{table*}",
                r"  \centering\small\setlength{\belowcaptionskip}{6pt}\setlength{\tabcolsep}{4pt}",
                *titles,
                rf"  \sbox0{{\begin{{tabular}}{{@{{}}{columns}@{{}}}}",
                r"    \toprule",
                self._row(self._heads(), "b"),
                r"    \midrule",
                *body,
                r"    \bottomrule",
                r"  \end{tabular}}",
                PLACED % self.name,
                r"\end{table*}",
                "",
            ]
        )

    def csv(self) -> str:
        """Every value in full precision, a column each; empty where there is none. Without a row: the heads alone."""
        stream = io.StringIO()
        writer = csv.DictWriter(stream, list(self.rows[0] if self.rows else self.heads), lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        return stream.getvalue()


def _fitting(lines: Sequence[Sequence[str]], most: int) -> int:
    """How many rows of a table fit into so many lines of text; one at least."""
    heights = itertools.accumulate(max(len(_lines(cell)) for cell in line) for line in lines)
    return max(1, sum(height <= most for height in heights))


def _lines(text: str) -> list[str]:
    """The lines of a cell: longer ones for a text that would else be far higher than wide."""
    longest = max(map(len, text.split()), default=0)
    letters = max(LETTERS, min(WORD, longest), math.ceil(math.sqrt(2.5 * len(text))), len(text) // (MOST_LINES // 2))
    return textwrap.wrap(text, letters) or [""]


def _cell(lines: Sequence[str], side: str, place: str) -> str:
    text = r"\\".join(map(escaped, lines))
    return text if len(lines) == 1 else rf"\begin{{tabular}}[{place}]{{@{{}}{side}@{{}}}}{text}\end{{tabular}}"


def escaped(text: str) -> str:
    """Plain text for LaTeX, in one paragraph; letters that T1 fonts lack are written as their code points."""
    known = SPECIAL_LETTERS.sub(lambda found: SPECIAL[found[0]], re.sub(r"\s+", " ", text))
    return UNKNOWN.sub(lambda found: f"U+{ord(found[0]):04X}", known)


def document(tables: Sequence[Table]) -> str:
    """A document that sets all tables, to be compiled beside their files."""
    inputs = [rf"\input{{{table.name}}}" for table in tables]
    head = [
        r"\documentclass[10pt]{article}",
        r"\usepackage[T1]{fontenc}",
        r"\usepackage[utf8]{inputenc}",
        # Without them, and without cm-super, the letters of T1 are set as bitmaps.
        r"\IfFileExists{lmodern.sty}{\usepackage{lmodern}}{}",
        r"\usepackage{textcomp}",
        r"\usepackage{booktabs}",
        r"\usepackage{graphicx}",
        r"\usepackage[a4paper,landscape,margin=1.5cm]{geometry}",
    ]
    return "\n".join([*head, r"\begin{document}", *inputs, r"\end{document}", ""])
