"""The demo tells the time that it expects on this machine."""

from __future__ import annotations

import pytest

from nsmodels.datasets.clevr import config as clevr
from nsmodels.systems.visual import config as visual
from pipeline import demo


@pytest.mark.parametrize(("rate", "whole"), [(50.0, "26 min"), (100.0, "13 min"), (10.0, "2.1 h")])
def test_the_expected_time_follows_the_measured_rate(rate: float, whole: str) -> None:
    line = demo.expected_time(rate, has_data=False)
    assert f"about {whole} (data " in line
    assert f"by its {rate:.0f} training images per second; reference: 26 min at 50" in line


def test_data_that_are_there_take_no_time() -> None:
    assert "about 23 min (perception 14:00, " in demo.expected_time(demo.REFERENCE_RATE, has_data=True)


def test_the_reference_is_that_of_the_configuration() -> None:
    images = clevr.quick().num_train * visual.quick().training.epochs
    assert demo.REFERENCE_SECONDS["perception"] == pytest.approx(images / demo.REFERENCE_RATE, abs=1)
