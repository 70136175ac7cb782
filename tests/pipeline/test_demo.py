"""The demo tells the time that it expects on this machine."""

from __future__ import annotations

import pytest

from nsmodels.datasets.clevr import config as clevr
from nsmodels.systems.visual import config as visual
from pipeline import demo
from pipeline.lib.runs import forecast


@pytest.mark.parametrize(("rate", "whole"), [(50.0, "26 min"), (100.0, "13 min"), (10.0, "2.1 h")])
def test_the_expected_time_follows_the_measured_rate(rate: float, whole: str) -> None:
    line = forecast.expected_time(rate, demo.REFERENCE_SECONDS, has_data=False)
    assert f"about {whole} (data " in line
    assert f"by its {rate:.0f} training images per second; reference: 26 min at 50" in line


def test_data_that_are_there_take_no_time() -> None:
    assert "about 23 min (perception 14:00, " in forecast.expected_time(
        forecast.REFERENCE_RATE, demo.REFERENCE_SECONDS, has_data=True
    )


@pytest.mark.parametrize("preset", forecast.REFERENCES)
def test_the_reference_is_that_of_the_configuration(preset: str) -> None:
    images = clevr.PRESETS[preset]().num_train * visual.PRESETS[preset]().training.epochs
    assert forecast.REFERENCES[preset]["perception"] == pytest.approx(images / forecast.REFERENCE_RATE, abs=1)


def test_the_small_preset_stops_after_its_images_whatever_the_data() -> None:
    training, num_train = visual.small().training, clevr.small().num_train
    assert training.max_steps == num_train * training.epochs / training.batch_size
