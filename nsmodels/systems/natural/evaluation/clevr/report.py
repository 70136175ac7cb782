"""The report on a CLEVR folder as a table for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nsmodels.systems.natural.evaluation.report import calibration_line, network_lines, percent, score_lines, types_line
from nsmodels.systems.natural.evaluation.scoring import HEADLINE

# Accuracy in percent on the official test or validation split.
PUBLISHED = (
    ("NS-VQA", 99.8, "Yi et al. 2018"),
    ("NS-CL", 98.9, "Mao et al. 2019"),
    ("MAC", 98.9, "Hudson and Manning 2018"),
    ("human", 92.6, "Johnson et al. 2017"),
    ("CNN+LSTM", 52.3, "Johnson et al. 2017"),
    ("question-type mode", 41.8, "Johnson et al. 2017"),
)
PUBLISHED_NOTE = "published, on the official CLEVR test or validation split"


def table(report: Mapping[str, Any]) -> str:
    """The report in lines."""
    data, headline = report["data"], report["rows"][HEADLINE]
    lines = [
        f"{data['path']}, split {data['split']}: {data['source']}; {data['num_questions']:,} questions about "
        f"{data['num_images']:,} images; trained on {data['trained_on']}",
        "",
    ]
    lines += score_lines(report)
    lines += ["", "by type: " + types_line(headline["by_structural"])]
    lines += [f"programs read exactly: {percent(report['program_exact'])}", calibration_line(report["calibration"])]
    lines += network_lines(report)
    if "synthetic" not in data["source"]:
        lines += ["", PUBLISHED_NOTE, *(f"  {value:>6.1f}  {name} ({source})" for name, value, source in PUBLISHED)]
    return "\n".join(lines)
