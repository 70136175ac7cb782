"""The demo tells the time that it expects on this machine."""

from __future__ import annotations

import pytest

from nsmodels.datasets.clevr import config as clevr
from nsmodels.systems.visual import config as visual
from pipeline import demo
from pipeline.lib.runs import forecast


@pytest.mark.parametrize(("rate", "perception"), [(50.0, "18:12"), (100.0, "9:06"), (10.0, "1:31:00")])
def test_perception_follows_the_measured_rate_and_nothing_else_does(rate: float, perception: str) -> None:
    line = forecast.expected_time(rate, demo.REFERENCE_SECONDS, has_data=False)
    assert f"(data 2:30, perception {perception}, parser, baseline 8:00, start, export 0:50, " in line
    assert f"by its {rate:.0f} training images per second of perception" in line


def test_data_that_are_there_take_no_time() -> None:
    line = forecast.expected_time(forecast.REFERENCE_RATE, demo.REFERENCE_SECONDS, has_data=True)
    assert "about 28 min (perception 18:12, " in line


@pytest.mark.parametrize("preset", forecast.REFERENCES)
def test_the_reference_is_that_of_the_configuration(preset: str) -> None:
    images = clevr.PRESETS[preset]().num_train * visual.PRESETS[preset]().training.epochs
    expected = images * forecast.LOADED / forecast.REFERENCE_RATE
    assert forecast.REFERENCES[preset][forecast.PERCEPTION] == pytest.approx(expected, abs=1)


def test_the_small_preset_stops_after_its_images_whatever_the_data() -> None:
    training, num_train = visual.small().training, clevr.small().num_train
    assert training.max_steps == num_train * training.epochs / training.batch_size
