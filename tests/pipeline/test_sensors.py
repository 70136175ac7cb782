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
    for number in (1, 2, 1):
        seal(data, number)
        request = clevr_mini_changed(context)
        assert isinstance(request, dg.RunRequest)
        assert request.run_key is None  # a key that was used before would not start a run
        assert isinstance(clevr_mini_changed(context), dg.SkipReason)
