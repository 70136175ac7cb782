"""What runs when something happens. Everything here is off until it is switched on in the UI."""

import json

import dagster as dg

from nsmodels.core.errors import InputError
from pipeline.assets.systems import trainings
from pipeline.jobs import made_from, retrain
from pipeline.lib.automation import failure, regression, retraining
from pipeline.lib.automation.webhook import Webhook
from pipeline.lib.training import Training

OFF = dg.DefaultSensorStatus.STOPPED


@dg.sensor(job=retrain, minimum_interval_seconds=30, default_status=OFF)
def retrain_changed(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """Train a model again when its data or the code version of its system changed, once per change.

    Automation conditions see neither what the command line made outside of Dagster nor the configuration that a model
    was trained with; the manifests on the disk say both.
    """
    seen: dict[str, str] = json.loads(context.cursor or "{}")
    busy, asked, said, marks = retraining.under_way(context), [], [], {}
    for training in trainings():
        mark, request, words = _look(context, training, seen.get(training.model_key, ""), busy)
        marks |= {training.model_key: mark} if mark else {}
        asked += [request] if request else []
        said += [words] if words else []
    skip = None if asked else "; ".join(said) or "every model is as its data and code say"
    for words in said:
        context.log.info(words)
    return dg.SensorResult(run_requests=asked, cursor=json.dumps(marks), skip_reason=skip)


def _look(
    context: dg.SensorEvaluationContext, training: Training, seen: str, busy: set[str]
) -> tuple[str, dg.RunRequest | None, str]:
    """What to remember of the last change, the run to ask for, and a word for the log of the tick."""
    key = training.model_key
    if (model := retraining.sealed(key)) is None:
        return "", None, ""  # nobody has trained it, so nobody misses it
    try:
        mark = retraining.mark(training, model)
        if mark == seen or not mark:
            return mark, None, f"{key}: asked before, {mark}" if mark else ""
        if key in busy:
            return seen, None, f"{key}: a run of it is under way"
        config = retraining.run_config(retraining.pads(training))
    except InputError as error:
        return seen, None, str(error)
    tags = {"nsmodels/reason": mark}
    # No run key: it would forbid for ever to train again on data that were there before.
    request = dg.RunRequest(run_config=config, asset_selection=_own(context, training), tags=tags)
    return mark, request, f"{key}: {mark}"


def _own(context: dg.SensorEvaluationContext, training: Training) -> list[dg.AssetKey]:
    """A model and what is made from it alone; what several models feed would be made by two runs at a time."""
    graph, key = context.repository_def.asset_graph, dg.AssetKey(training.model_key)  # type: ignore[union-attr]
    reach = [made_from(each).resolve(graph) for each in trainings()]
    others = [keys for keys in reach if key not in keys]  # a model made from another's model is not apart from that
    return sorted(set(made_from(training).resolve(graph)).difference(*others))


@dg.run_failure_sensor(minimum_interval_seconds=30, default_status=OFF)
def tell_failures(context: dg.RunFailureSensorContext, webhook: Webhook) -> dg.SkipReason | None:
    """Post run, assets, partition and the error in one line to the webhook when a run of this project fails."""
    told = failure.fields(context)
    text = f"Run {told['run_id'][:8]} of {told['job']} failed. {told['error']}"
    context.log.error(text)
    if not webhook.is_set:
        return dg.SkipReason(f"told nobody, {webhook.variable} is not set: {text}")
    link = webhook.link(f"runs/{told['run_id']}")
    webhook.send(f"{text} {link or ''}".strip(), **told, link=link)
    return None


@dg.sensor(minimum_interval_seconds=30, default_status=OFF)
def tell_regressions(context: dg.SensorEvaluationContext, webhook: Webhook) -> dg.SensorResult:
    """Say when a new evaluation is worse than the one before on the same data, by more than the interval.

    Both are compared item by item. It is posted to the webhook and stands among the checks of the evaluation, also
    where the command line made it. What stood in the ledger before the sensor was switched on is not told.
    """
    seen: dict[str, str] | None = json.loads(context.cursor) if context.cursor else None
    said, events, last = [], [], dict(seen or {})
    for training in trainings():
        entries, key = regression.history(training), training.evaluation_key
        pairs = [] if seen is None else regression.since(entries, seen.get(key, ""))
        said += [_tell(context, webhook, key, pair) for pair in pairs]
        events += [event for pair in pairs[-1:] if (event := _checked(context, key, pair))]
        last |= {key: entries[-1].id} if entries else {}
    word = "; ".join(said) or ("watching from now on" if seen is None else "no evaluation since")
    return dg.SensorResult(skip_reason=word, cursor=json.dumps(last), asset_events=events)


def _tell(context: dg.SensorEvaluationContext, webhook: Webhook, key: str, pair: regression.Pair) -> str:
    """Say how an evaluation compares; a regression goes to the webhook."""
    if not pair.is_worse:
        context.log.info(pair.text())
        return pair.text()
    context.log.warning(pair.text())
    if not webhook.is_set:
        return f"{pair.text()} (told nobody, {webhook.variable} is not set)"
    link = webhook.link(f"assets/{key}")
    try:
        webhook.send(f"Regression. {pair.text()} {link or ''}".strip(), assets=[key], **pair.numbers(), link=link)
    except InputError as error:  # the others are told once all the same, so this one is not tried for ever
        context.log.error(str(error))
        return f"{pair.text()} (told nobody: {error})"
    return pair.text()


def _checked(context: dg.SensorEvaluationContext, key: str, pair: regression.Pair) -> dg.AssetCheckEvaluation | None:
    """The outcome of the check of an evaluation that no run has checked."""
    check = dg.AssetCheckKey(dg.AssetKey(key), regression.NAME)
    record = context.instance.get_latest_asset_check_evaluation_record(check)
    known = getattr(record and record.evaluation, "metadata", {})  # of a run that is to check it: none yet
    if known.get("pair") == dg.MetadataValue.text(pair.id):
        return None
    warn = dg.AssetCheckSeverity.WARN
    return dg.AssetCheckEvaluation(
        dg.AssetKey(key), regression.NAME, not pair.is_worse, pair.numbers(), severity=warn, description=pair.text()
    )


SENSORS = [retrain_changed, tell_failures, tell_regressions]
