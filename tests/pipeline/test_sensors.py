"""The sensor asks for a run when sealed data change, once per change."""

import dagster as dg

from nsmodels.core import artifact
from pipeline.sensors import clevr_mini_changed


def seal(data, number):
    """Seal a `clevr_mini` of that number."""
    with artifact.build(data / "clevr_mini", key="clevr_mini", maker="tests", config={"n": number}, code_version="1"):
        pass


def test_a_run_per_change_of_the_data(data, instance):
    context = dg.build_sensor_context(instance=instance)
    assert isinstance(clevr_mini_changed(context), dg.SkipReason)
    seal(data, 1)
    first = clevr_mini_changed(context)
    assert isinstance(first, dg.RunRequest)
    assert isinstance(clevr_mini_changed(context), dg.SkipReason)
    seal(data, 2)
    assert clevr_mini_changed(context).run_key != first.run_key
