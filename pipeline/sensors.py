"""Sensors: runs and messages in response to events. Everything here is off until it is switched on in the UI."""

import json

import dagster as dg

from nsmodels.core.errors import InputError
from pipeline.assets.systems import trainings
from pipeline.jobs import reach, retrain
from pipeline.lib.automation import failure, regression, retraining, unattended
from pipeline.lib.automation.webhook import Webhook
from pipeline.lib.training import Training

OFF = dg.DefaultSensorStatus.STOPPED


@dg.sensor(job=retrain, minimum_interval_seconds=30, default_status=OFF)
def retrain_changed(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """Train a model again when its data, its parent model or the code version of its system changed, once per change.

    Automation conditions see neither artifacts built by the command line outside of Dagster nor the configuration that
    a model was trained with; the manifests on the disk record both. A model is trained in the run of its parent where
    both changed.
    """
    seen: dict[str, str] = json.loads(context.cursor or "{}")
    busy, requests, lines, marks = retraining.under_way(context), [], [], {}
    for training in sorted(trainings(), key=lambda each: len(each.chain)):  # parents first
        mark, request, line = _look(context, training, seen.get(training.model_key, ""), busy)
        marks |= {training.model_key: mark} if mark else {}
        requests += [request] if request else []
        lines += [line] if line else []
        busy |= {key.to_user_string() for key in (request and request.asset_selection) or ()}
    skip = None if requests else "; ".join(lines) or "every model is up to date with its data and code"
    for line in lines:
        context.log.info(line)
    return dg.SensorResult(run_requests=requests, cursor=json.dumps(marks), skip_reason=skip)


def _look(
    context: dg.SensorEvaluationContext, training: Training, seen: str, busy: set[str]
) -> tuple[str, dg.RunRequest | None, str]:
    """The change to remember, the run to request, and a line for the log of the tick."""
    key = training.model_key
    if (model := retraining.sealed(key)) is None:
        return "", None, ""  # never trained, so nobody misses it
    try:
        mark = retraining.mark(training, model)
        if mark == seen or not mark:
            return mark, None, f"{key}: requested before, {mark}" if mark else ""
        if line := retraining.obstacle(training):
            return seen, None, line
        if any(retraining.has_changed(each) for each in training.chain[:-1]):
            return seen, None, f"{key}: a model that it starts from is to be trained again first"
        if busy.intersection(each.model_key for each in training.chain):
            return seen, None, f"{key}: a run of it, or of a model it starts from, is under way"
        selection = _own(context, training)
        names = {each.to_user_string() for each in selection}
        pads = {k: pad for each in trainings() for k, pad in retraining.pads(each).items() if k in names}
        request = unattended.request(selection, retraining.run_config(pads), mark)
    except InputError as error:
        return seen, None, str(error)
    return mark, request, f"{key}: {mark}"


def _own(context: dg.SensorEvaluationContext, training: Training) -> list[dg.AssetKey]:
    """A model and the assets built from it alone, trained children included; two runs would build those of several."""
    graph, key = context.repository_def.asset_graph, dg.AssetKey(training.model_key)  # type: ignore[union-attr]
    children = [each for each in trainings() if each is not training and training in each.chain]
    missing = [each for each in children if not retraining.is_repeatable(each) or retraining.obstacle(each)]
    others = [reach(graph, [each]) for each in trainings() if training not in each.chain]
    return sorted(reach(graph, [training], missing).difference(*(keys for keys in others if key not in keys)))


@dg.run_failure_sensor(minimum_interval_seconds=30, default_status=OFF)
def tell_failures(context: dg.RunFailureSensorContext, webhook: Webhook) -> dg.SkipReason | None:
    """Post run, assets, partition and the error in one line to the webhook when a run of this project fails."""
    fields = failure.fields(context)
    text = f"Run {fields['run_id'][:8]} of {fields['job']} failed. {fields['error']}"
    context.log.error(text)
    if not webhook.is_set:
        return dg.SkipReason(f"not sent, {webhook.variable} is not set: {text}")
    link = webhook.link(f"runs/{fields['run_id']}")
    webhook.send(f"{text} {link or ''}".strip(), **fields, link=link)
    return None


@dg.sensor(minimum_interval_seconds=30, default_status=OFF)
def tell_regressions(context: dg.SensorEvaluationContext, webhook: Webhook) -> dg.SensorResult:
    """Report a new evaluation that is worse than the one before on the same data, by more than the interval.

    Both are compared item by item. It is posted to the webhook and recorded as a check of the evaluation, also where
    the command line built it. Entries of the ledger from before the sensor was switched on are not reported.
    """
    seen: dict[str, str] | None = json.loads(context.cursor) if context.cursor else None
    lines, events, last = [], [], dict(seen or {})
    for training in (each for each in trainings() if each.is_scored):
        entries, key = regression.history(training), training.evaluation_key
        pairs = [] if seen is None else regression.since(entries, seen.get(key, ""))
        lines += [_report(context, webhook, key, pair) for pair in pairs]
        shown = [regression.worst(regression.of_latest(pairs))] if pairs else []
        events += [event for pair in shown if (event := _checked(context, key, pair))]
        last |= {key: entries[-1].id} if entries else {}
    word = "; ".join(lines) or ("watching from now on" if seen is None else "no evaluation since")
    return dg.SensorResult(skip_reason=word, cursor=json.dumps(last), asset_events=events)


def _report(context: dg.SensorEvaluationContext, webhook: Webhook, key: str, pair: regression.Pair) -> str:
    """Log how an evaluation compares; send a regression to the webhook."""
    if not pair.is_worse:
        context.log.info(pair.text())
        return pair.text()
    context.log.warning(pair.text())
    if not webhook.is_set:
        return f"{pair.text()} (not sent: {webhook.variable} is not set)"
    link = webhook.link(f"assets/{key}")
    try:
        webhook.send(f"Regression. {pair.text()} {link or ''}".strip(), assets=[key], **pair.numbers(), link=link)
    except InputError as error:  # the others are sent once all the same, so this one is not tried for ever
        context.log.error(str(error))
        return f"{pair.text()} (not sent: {error})"
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
