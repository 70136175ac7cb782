"""What runs when something happens. Everything here is off until it is switched on in the UI."""

import dagster as dg

from nsmodels.core.artifact import folder_of, read_manifest
from nsmodels.core.errors import InputError
from pipeline.jobs import retrain


@dg.sensor(job=retrain, minimum_interval_seconds=60, default_status=dg.DefaultSensorStatus.STOPPED)
def clevr_mini_changed(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Train again when the sealed data under `clevr_mini` are others than at the last look, however they came there."""
    try:
        sealed = read_manifest(folder_of("clevr_mini"))
    except InputError as error:
        return dg.SkipReason(str(error))
    mark = f"{sealed.fingerprint}, made {sealed.created}"
    if mark == context.cursor:
        return dg.SkipReason(f"clevr_mini is still {mark}")
    context.update_cursor(mark)
    # No run key: it would forbid for ever to train again on data that were there before.
    return dg.RunRequest()


SENSORS = [clevr_mini_changed]
