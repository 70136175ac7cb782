"""The step of every asset: choose its configuration, prepare its inputs, build or reuse its artifact, report."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg

from nsmodels.core import interrupts
from nsmodels.core.artifact import Manifest
from nsmodels.core.config import Config
from nsmodels.core.disk import one_line
from nsmodels.core.errors import InputError, Interrupted, TryLater
from nsmodels.core.orders import Inputs, Order
from pipeline.internals import DagsterExecutionInterruptedError
from pipeline.lib import launchpad as launchpads
from pipeline.lib import reuse, store
from pipeline.lib.display import results
from pipeline.lib.display.epochs import EpochTracker
from pipeline.lib.launchpad import C, Chosen, Launchpad
from pipeline.lib.runs import bare_command, slots, summary

_checks: dict[str, Callable[[dg.AssetExecutionContext], None]] = {}
_checked: set[str] = set()  # runs


def materialise(
    context: dg.AssetExecutionContext,
    launchpad: Launchpad[C],
    code_version: str,
    inputs: Collection[str],
    build: Callable[[Order[C]], Manifest],
    show: Callable[[Path], Mapping[str, Any]] = results.pages,
    wanted: Callable[[C], Mapping[str, Any] | None] = Config.relevant,
    roles: Mapping[str, str] | None = None,
    phases: tuple[str, ...] = (),
) -> dg.MaterializeResult:
    """Build the asset of `context` with `build` unless an equal artifact is there.

    Args:
        context: of the step.
        launchpad: chooses the configuration.
        code_version: of the library that builds it.
        inputs: keys of the assets it is built from.
        build: one call into the library.
        show: metadata to look at, from the sealed folder.
        wanted: the configuration as the manifest records it; returns None where only `build` decides.
        roles: roles of inputs that are not data, by key.
        phases: names of the trainings that follow each other, for the curves.
    """
    with for_good_when_asked(context), one_line_errors():
        _begin(context)
        chosen = launchpad.choose(context)
        context.log.info(f"preset {chosen.preset} ({chosen.reason}){_overrides(chosen)}")
        store.require(inputs)  # first: it takes milliseconds, the check of a configuration may import for seconds
        check_run(context)
        preset, trackers = chosen.preset if "debug" in launchpad.presets else None, (EpochTracker(context, phases),)
        folders = Inputs(store.ready(context, inputs, preset), roles or {})
        recipe = reuse.Recipe(wanted(chosen.config), code_version, folders)

        def order(folder: Path, is_forced: bool) -> Manifest:
            return build(Order(folder.name, chosen.config, folders, folder, is_forced, trackers))

        made = reuse.make(context, recipe, chosen.force, order)
        folder = store.folder(context.asset_key)
        summary.record(folder, made.manifest, made.is_reused, launchpads.REGISTERED.__contains__)
        shown = results.shown_before(context, made.manifest) if made.is_reused else None
        shown = shown or show(folder)
        return results.result(made.manifest, **{**shown, **_how(chosen, made)})


def _begin(context: dg.AssetExecutionContext) -> None:
    """Wait for a place in the pool; what a try that failed has reported is forgotten."""
    slots.acquire(context)
    if context.retry_number:
        bare_command.discard_reports()


def check_first(key: str, launchpad: Launchpad[C], code_version: str, check: Callable[[C], None]) -> None:
    """Register a check of the configuration of an asset, made before the first step of a run that builds the asset.

    `check` raises InputError for a configuration that cannot be built on this machine.
    """
    launchpads.REGISTERED[key] = launchpad, code_version
    _checks[key] = lambda context: check_unless_built(key, launchpad.choose(context, key).config, check)


def is_left_out(context: dg.AssetExecutionContext, inputs: Collection[str]) -> bool:
    """Whether a run goes on without this asset, whose inputs are missing, for it was not asked for by name; logged.

    That is so of what a command selects by a group or by what follows from something (`nav_model*`). False where no
    other one of its group has its inputs either: then a run of the group is for nothing, and this one fails.
    """
    try:
        store.require(inputs)
    except InputError as error:
        if not bare_command.is_implied(context.asset_key.to_user_string()) and not _has_others(context):
            return False
        context.log.warning(f"left out: {error}")
        summary.record_left_out(context.asset_key.to_user_string(), str(error))
        return True
    return False


def _has_others(context: dg.AssetExecutionContext) -> bool:
    """Whether the run selects a different asset of the same group that has its inputs, or gets them in this run."""
    layer = context.job_def.asset_layer
    graph, selected = layer.asset_graph, layer.executable_asset_keys
    group = graph.get(context.asset_key).group_name
    others = [key for key in selected if key != context.asset_key and graph.get(key).group_name == group]
    return any(
        _has_inputs([parent for parent in graph.get(key).parent_keys if parent not in selected]) for key in others
    )


def _has_inputs(keys: Collection[dg.AssetKey]) -> bool:
    try:
        store.require(key.to_user_string() for key in keys)
    except InputError:
        return False
    return True


def check_run(context: dg.AssetExecutionContext) -> None:
    """Check the configuration of all assets of the run of `context`, once, before data are made for them.

    Raises InputError that names the asset.
    """
    selected = {key.to_user_string() for key in context.job_def.asset_layer.executable_asset_keys}
    if context.run.run_id in _checked or not selected & _checks.keys():
        return
    for key in sorted(selected & _checks.keys()):
        _checks[key](context)
    _checked.add(context.run.run_id)


def check_unless_built(key: str, config: C, check: Callable[[C], None]) -> None:
    """Call `check` unless an artifact of this configuration is there, which is its proof."""
    if reuse.is_built_with(store.folder(key), config.relevant()):
        return
    try:
        check(config)
    except InputError as error:
        raise InputError(f"{key}: {error}") from None


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Bad input, or what the system refuses, ends the step with one line; only a `TryLater` is tried again.

    Whatever ends it after a request to stop is a consequence of that: a process of its own died of the signal, too.
    """
    try:
        yield
    except (dg.Failure, dg.RetryRequested):
        raise
    except Exception as error:
        if interrupts.requested():
            line = str(error) if isinstance(error, Interrupted) else interrupts.LINE
            raise dg.Failure(line, allow_retries=False) from None
        line = one_line(error) or error
        if isinstance(line, InputError):
            bare_command.report_at_exit(str(line))
            raise dg.Failure(str(line), allow_retries=isinstance(line, TryLater)) from None
        # A mistake in the code, which a second try finds again.
        raise dg.Failure(f"{type(error).__name__}: {error}", allow_retries=False) from error


@contextmanager
def for_good_when_asked(context: dg.AssetExecutionContext) -> Iterator[None]:
    """A signal ends the step, though Dagster would begin one with a retry policy again."""
    try:
        yield
    except (KeyboardInterrupt, DagsterExecutionInterruptedError):
        if context.op_execution_context.op_def.retry_policy is None:
            raise
        raise dg.Failure(interrupts.LINE, allow_retries=False) from None


def _overrides(chosen: Chosen[Any]) -> str:
    return "".join(f", {name}={value}" for name, value in chosen.changed.items())


def _how(chosen: Chosen[Any], made: reuse.Result) -> results.Metadata:
    return {
        "preset": f"{chosen.preset} ({chosen.reason}){_overrides(chosen)}",
        "is_reused": made.is_reused,
        "reason": made.reason,
    }
