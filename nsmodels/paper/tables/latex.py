"""Tables as LaTeX with booktabs, and as CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "\"": r"\textquotedbl{}",
    "–": "--", "−": r"\ensuremath{-}", "±": r"\ensuremath{\pm}", "×": r"\ensuremath{\times}", "→": r"\ensuremath{\to}",
    "…": r"\ldots{}", "²": r"\ensuremath{^2}", "≥": r"\ensuremath{\ge}", "≤": r"\ensuremath{\le}",
}  # fmt: skip
SPECIAL_LETTERS = re.compile("|".join(map(re.escape, SPECIAL)))
NONE = "--"  # in a cell without a value
MOST_LINES = 34  # of a table on one page, with a caption of several lines


# Letters of a table that is wider than the page are smaller.
SMALLER = r"  \ifdim\wd0>\linewidth\resizebox{\linewidth}{!}{\usebox0}\else\usebox0\fi"
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

        One, or as many as there are pages to fill: LaTeX does not break a float.
        """
        return "\n".join(self._float(lines, number) for number, lines in enumerate(self._pages()))

    def _pages(self) -> list[Sequence[Sequence[str]]]:
        """The lines of each page; a page ends where the first column changes, if that leaves it half full at least."""
        left, pages = list(self.lines), []
        while len(left) > MOST_LINES:
            ends = [n for n in range(MOST_LINES // 2, MOST_LINES + 1) if left[n - 1][0] != left[n][0]]
            end = ends[-1] if ends and self.left > 1 else MOST_LINES
            pages.append(left[:end])
            left = left[end:]
        return [*pages, left]

    def _float(self, lines: Sequence[Sequence[str]], number: int) -> str:
        columns = "l" * self.left + "r" * (len(self.heads) - self.left)
        body = [" & ".join(map(escaped, line)) + r" \\" for line in lines]
        caption = rf"  \caption{{{escaped(self.caption)}}}"
        titles = [caption, rf"  \label{{tab:{self.name}}}"] if number == 0 else [CONTINUED]
        return "\n".join(
            [
                r"\begin{table*}",
                r"  \centering\small\setlength{\belowcaptionskip}{6pt}",
                *titles,
                rf"  \sbox0{{\begin{{tabular}}{{@{{}}{columns}@{{}}}}",
                r"    \toprule",
                "    " + " & ".join(map(escaped, self.heads)) + r" \\",
                r"    \midrule",
                *(f"    {line}" for line in body),
                r"    \bottomrule",
                r"  \end{tabular}}",
                SMALLER,
                r"\end{table*}",
                "",
            ]
        )

    def csv(self) -> str:
        """Every value in full precision, a column each; empty where there is none."""
        stream = io.StringIO()
        writer = csv.DictWriter(stream, list(self.rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        return stream.getvalue()


def escaped(text: str) -> str:
    """Plain text for LaTeX; letters that it has no command for here are written as their code points."""
    known = SPECIAL_LETTERS.sub(lambda found: SPECIAL[found[0]], text)
    return "".join(letter if ord(letter) < 0x250 else f"U+{ord(letter):04X}" for letter in known)


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
