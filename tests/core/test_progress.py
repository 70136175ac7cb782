"""Progress of long work as lines: rate, remaining time, and what was finished before."""

from __future__ import annotations

import itertools
import sys

import pytest

from nsmodels.core import progress


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock on which each look takes four seconds."""
    ticks = itertools.count(0.0, 4.0)
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(ticks))


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


@pytest.mark.usefixtures("slow")
def test_lines_every_ten_seconds_have_rate_and_remaining_time(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(progress.counted("abcdefgh", 8, "baking", "cake")) == list("abcdefgh")
    assert lines(capsys) == [
        "baking: 3 of 8 cakes, 4.0 s each, 0:20 left",
        "baking: 6 of 8 cakes, 4.0 s each, 0:08 left",
        "baking: 8 of 8 cakes, 4.0 s each",
    ]


@pytest.mark.usefixtures("slow")
def test_what_was_finished_before_is_no_part_of_the_rate(capsys: pytest.CaptureFixture[str]) -> None:
    list(progress.counted(range(4), 104, "epoch 2", "step", done=100, has_end=False))
    assert lines(capsys) == ["epoch 2: 103 of 104 steps, 4.0 s each, 0:04 left"]


def test_short_work_has_one_line_at_most(capsys: pytest.CaptureFixture[str]) -> None:
    list(progress.counted(range(3), 3, "quick", "step", has_end=False))
    assert lines(capsys) == []
    list(progress.counted(range(3), 3, "quick", "step"))
    assert [line.partition(",")[0] for line in lines(capsys)] == ["quick: 3 of 3 steps"]
    list(progress.counted(range(3), 3, "hidden", "step", show=False))
    assert lines(capsys) == []
    assert not sys.stderr.isatty()


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0:00"), (61, "1:01"), (3725, "1:02:05")])
def test_clock(seconds: float, text: str) -> None:
    assert progress.clock(seconds) == text
