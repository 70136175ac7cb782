"""What every asset does: choose its configuration, see to its inputs, make or reuse its artifact, report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic

import dagster as dg
from dagster._core.errors import DagsterExecutionInterruptedError

from nsmodels.core.artifact import Manifest
from nsmodels.core.config import Config
from nsmodels.core.errors import InputError, TryLater
from pipeline.lib import reuse, store
from pipeline.lib.display import results
from pipeline.lib.display.epochs import EpochTracker
from pipeline.lib.launchpad import C, Chosen, Launchpad
from pipeline.lib.runs import bare_command, slots


@dataclass(frozen=True)
class Order(Generic[C]):
    """What a library call needs to make one artifact."""

    key: str
    config: C
    inputs: Mapping[str, Path]
    folder: Path
    force: bool = False
    context: dg.AssetExecutionContext | None = None
    partition: str | None = None

    def trackers(self, *phases: str) -> tuple[EpochTracker, ...]:
        """Trackers of trainings that follow each other, for the engine; none outside of a step."""
        return (EpochTracker(self.context, phases, self.partition),) if self.context else ()


def materialise(
    context: dg.AssetExecutionContext,
    launchpad: Launchpad[C],
    code_version: str,
    inputs: tuple[str, ...],
    build: Callable[[Order[C]], Manifest],
    show: Callable[[Path], Mapping[str, Any]] = results.pages,
    wanted: Callable[[C], Mapping[str, Any] | None] = Config.relevant,
) -> dg.MaterializeResult:
    """Make the asset of `context` with `build` unless an equal artifact is there; `show` adds what one can look at.

    `wanted` is what the manifest will say of the configuration; None where only `build` can tell and decides itself.
    """
    with for_good_when_asked(context), one_line_errors():
        slots.acquire(context)
        if context.retry_number:
            bare_command.discard_reports()
        chosen = launchpad.choose(context)
        context.log.info(f"preset {chosen.preset} ({chosen.reason}){_overrides(chosen)}")
        folders = store.ready(context, inputs, chosen.preset if "debug" in launchpad.presets else None)
        recipe = reuse.Recipe(wanted(chosen.config), code_version, folders)

        def order(folder: Path, is_forced: bool) -> Manifest:
            return build(Order(folder.name, chosen.config, folders, folder, is_forced, context))

        made = reuse.make(context, recipe, chosen.force, order)
        shown = results.shown_before(context, made.manifest) if made.is_reused else None
        shown = shown or show(store.folder(context.asset_key))
        return results.result(made.manifest, **{**shown, **_how(chosen, made)})


@contextmanager
def one_line_errors() -> Iterator[None]:
    """An `InputError` ends the step with its one line, not with a traceback; only a `TryLater` is tried again."""
    try:
        yield
    except InputError as error:
        bare_command.report_at_exit(str(error))
        raise dg.Failure(str(error), allow_retries=isinstance(error, TryLater)) from None
    except (dg.Failure, dg.RetryRequested):
        raise
    except Exception as error:  # a mistake in the code, which a second try finds again
        raise dg.Failure(f"{type(error).__name__}: {error}", allow_retries=False) from error


@contextmanager
def for_good_when_asked(context: dg.AssetExecutionContext) -> Iterator[None]:
    """A signal ends the step, though Dagster would begin one with a retry policy again."""
    try:
        yield
    except (KeyboardInterrupt, DagsterExecutionInterruptedError):
        if context.op_execution_context.op_def.retry_policy is None:
            raise
        raise dg.Failure("stopped, as asked", allow_retries=False) from None


def _overrides(chosen: Chosen[Any]) -> str:
    return "".join(f", {name}={value}" for name, value in chosen.changed.items())


def _how(chosen: Chosen[Any], made: reuse.Made) -> results.Metadata:
    return {
        "preset": f"{chosen.preset} ({chosen.reason}){_overrides(chosen)}",
        "is_reused": made.is_reused,
        "reason": made.reason,
    }
