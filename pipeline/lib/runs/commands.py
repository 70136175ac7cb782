"""Dagster's commands with their options checked before they run; what is refused is one line and status 2.

Uses private names of Dagster: it has no place to register a check. The version is pinned, and the tests run commands.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import IO, Any

import click
import dagster as dg
from dagster_shared.cli import PythonPointerOpts

from nsmodels.core import interrupts
from nsmodels.core.errors import InputError, near
from pipeline.internals import (
    IMPLICIT_ASSET_JOB_NAME,
    get_repository_python_origin_from_cli_opts,
    get_run_config_from_cli_opts,
    recon_repository_from_origin,
)
from pipeline.lib import launchpad
from pipeline.lib.runs import bare_command, forecast, history
from pipeline.requests import options as texts
from pipeline.requests import selection, tags

Options = Mapping[str, Any]
POINTERS = tuple(PythonPointerOpts.__annotations__)
RANGES_ALONE = (
    "--partition-range: accepted for replicates only, without RAY_ADDRESS: --select group:replicates "
    "--partition-range 0...4; use a separate command for other assets"
)
MISSING = (
    "some of the selected assets are partitioned: add --partition or --partition-range, or exclude them, as in "
    """--select 'key:"mazes"+ and not (group:"replicates" or group:"trials")'"""
)


class Refusal(click.ClickException):
    """A command that is not run; click shows it and ends with its status."""

    exit_code = 2

    def show(self, file: IO[Any] | None = None) -> None:
        """Print each line on stderr."""
        for line in self.message.splitlines():
            click.echo(f"error: {line}", err=True, file=file)


def assets(module: ModuleType) -> None:
    """Check the commands of `dagster asset`; `module` is `dagster._cli.asset`."""
    text = "Print what would be reused and built, and the time where it is known; run nothing."
    module.asset_materialize_command.params.append(click.Option(["--dry-run"], is_flag=True, help=text))
    _check(module.asset_materialize_command, materialization)
    _check(module.asset_list_command, listing)


def jobs(module: ModuleType) -> None:
    """Check the commands of `dagster job`; `module` is `dagster._cli.job`."""
    _check(module.job_execute_command, execution)
    _check(module.job_launch_command, launch)
    _check(module.job_backfill_command, backfill)


def _check(command: click.Command, check: Callable[[Options], None]) -> None:
    run = command.callback
    assert run is not None
    for option in command.params:
        if isinstance(option.type, click.Path):  # its own check of a missing file prints the usage
            option.type = click.STRING

    @functools.wraps(run)
    def checked(**given: Any) -> None:
        with stopped_by_signal(), one_line_refusals():
            is_dry = given.pop("dry_run", False)
            check(given)
            if is_dry:
                announce(given, is_dry)
            else:
                _run(command, run, given)
        interrupts.record_status(0)

    command.callback = checked


def _run(command: click.Command, run: Callable[..., object], given: Options) -> None:
    if command.name == "materialize":
        with suppress(InputError):  # the step reports it, and the history records it
            announce(given, is_dry=False)
    run(**given)


@contextmanager
def stopped_by_signal() -> Iterator[None]:
    """A stop ends the command with the status of its signal; click would print a line of its own above the last one.

    That is "Aborted!", or the error with which Dagster ends a run that did not succeed.
    """
    try:
        yield
    except (KeyboardInterrupt, click.ClickException):
        number = interrupts.requested()
        if number is None:
            raise
        raise SystemExit(128 + number) from None


@contextmanager
def one_line_refusals() -> Iterator[None]:
    """What Dagster or this project refuses ends the command with a line for each error, and status 2."""
    try:
        yield
    except InputError as error:
        raise Refusal(str(error)) from None
    except click.UsageError as error:
        raise Refusal(error.message.splitlines()[0]) from None
    except Exception as error:
        if lines := bare_command.refusals(error):
            raise Refusal("\n".join(lines)) from None
        raise


def materialization(given: Options, load: Callable[[Options], dg.RepositoryDefinition] | None = None) -> None:
    """Raise `InputError` unless `dagster asset materialize` has assets, their configuration and their partitions.

    `load` returns the definitions; by default those that the options point to.
    """
    texts.not_empty(given, "partition", "partition_range")
    config = run_config(given)
    repository = (load or repository_of)(given)
    keys = selection.resolve(repository.asset_graph, given["select"])
    for key in sorted(keys):
        launchpad.check_environment(repository.asset_graph.get(key).assets_def)
    whole = repository.get_job(IMPLICIT_ASSET_JOB_NAME)
    job = whole.get_subset(asset_selection=frozenset(keys))
    _require_valid(config, job, whole, f"--select {given['select']}", given)
    _require_partitions(given, repository, keys)


def announce(given: Options, is_dry: bool) -> None:
    """Print what a run of `dagster asset materialize` will do; with `is_dry` this is all that is done."""
    repository, config = repository_of(given), run_config(given)
    keys = selection.resolve(repository.asset_graph, given["select"])
    for line in forecast.lines(repository.asset_graph, keys, config):
        click.echo(line if is_dry else line.replace("would be", "will be"), err=not is_dry)
    if line := forecast.time_line(config, keys):
        click.echo(line, err=not is_dry)
    click.echo("nothing was run" if is_dry else forecast.GO_ON, err=not is_dry)


def listing(given: Options) -> None:
    """Raise `InputError` where `dagster asset list --select` selects nothing."""
    if given["select"] is not None:
        selection.resolve(repository_of(given).asset_graph, given["select"])


def execution(given: Options) -> None:
    """Raise `InputError` unless tags, configuration and operations of `dagster job execute` are those of the job."""
    _require_texts(given)
    config, repository = run_config(given), repository_of(given, given["repository"])
    _require_job(config, repository, given)


def launch(given: Options) -> None:
    """The same for `dagster job launch`, whose definitions are those of this project unless it names others."""
    _require_texts(given)
    config = run_config(given)
    name = None if _has_target(given) else bare_command.module_name(Path.cwd())
    if name:
        pointers = dict.fromkeys(POINTERS) | {"module_name": name}
        _require_job(config, repository_of(pointers), given)


def backfill(given: Options) -> None:
    """Raise `InputError` unless `dagster job backfill` has partitions: Dagster takes none for all of them."""
    _require_texts(given)
    texts.not_empty(given, "partitions", "start_partition", "end_partition")
    if not any(given[name] for name in ("partitions", "all_partitions", "start_partition", "end_partition")):
        raise InputError("job backfill: no partitions; give --partitions NAME,NAME, --from and --to, or --all")


def _require_texts(given: Options) -> None:
    texts.not_empty(given, "op_selection", "job_name")
    if given["tags"] is not None:
        tags.of_option(given["tags"])


def run_config(given: Options) -> Mapping[str, Any]:
    """The configuration that a command was given. Raises `InputError` unless it is a mapping of that command's run."""
    text, files = given.get("config_json"), given["config"]
    if text is not None:
        texts.json_object(text, "--config-json")
    texts.config_files(files)
    return get_run_config_from_cli_opts(files, text)


def repository_of(given: Options, name: str | None = None) -> dg.RepositoryDefinition:
    """The definitions that the options of a command point to."""
    pointers = PythonPointerOpts.extract_from_cli_options({key: given.get(key) for key in POINTERS})
    origin = get_repository_python_origin_from_cli_opts(pointers, name)
    return recon_repository_from_origin(origin).get_definition()


def _has_target(given: Options) -> bool:
    return any(given.get(name) for name in (*POINTERS, "workspace", "grpc_port", "grpc_socket", "empty_workspace"))


def _require_job(config: Mapping[str, Any], repository: dg.RepositoryDefinition, given: Options) -> None:
    """Raise `InputError` for an unknown job and for a configuration that is not that of the job."""
    name = given["job_name"]
    if name is None:
        return  # Dagster takes the only one, or lists them
    if not repository.has_job(name):
        names = [each for each in repository.job_names if each != IMPLICIT_ASSET_JOB_NAME]
        raise InputError(f"--job {name}: no such job{near(name, names)}; there are: {', '.join(names)}")
    whole = repository.get_job(name)
    ops = given["op_selection"]
    job = whole.get_subset(op_selection=[op.strip() for op in ops.split(",")]) if ops else whole
    if name == IMPLICIT_ASSET_JOB_NAME and job is whole:
        raise InputError(f"--job {name}: it has every asset; use: dagster asset materialize --select")
    _require_valid(config, job, whole, f"job {name}", given)


def _require_valid(
    config: Mapping[str, Any], job: dg.JobDefinition, whole: dg.JobDefinition, chosen: str, given: Options
) -> None:
    where = "--config-json" if given.get("config_json") else f"--config {' '.join(given['config'])}"
    texts.op_names(config, job, [node.name for node in whole.nodes], where, chosen)
    if config:
        dg.validate_run_config(job, dict(config))
    _require_bounds(config, job, where, given)


def _require_bounds(config: Mapping[str, Any], job: dg.JobDefinition, where: str, given: Options) -> None:
    """Raise `InputError` for values out of bounds, and for tags of the run that no asset could use."""
    tagged = tags.of_option(given["tags"]) if given.get("tags") else {}
    layer = job.asset_layer
    for key in sorted(layer.executable_asset_keys):
        name = key.to_user_string()
        # As a step does: without a configuration of its own a run has that of the job.
        values = forecast.given_for(name, config or job.run_config or {})
        if values or tagged:
            option = where if config and not tagged else "--tags" if not config else f"{where}, --tags"
            launchpad.check_values(layer.asset_graph.get(key).assets_def, values, tagged, f"{option}: {name}")


def _require_partitions(given: Options, repository: dg.RepositoryDefinition, keys: set[dg.AssetKey]) -> None:
    """Raise `InputError` unless partitions are given where there are some, and exist."""
    one, several = given["partition"], given["partition_range"]
    nodes = [repository.asset_graph.get(key) for key in sorted(keys)]
    partitioned = [node for node in nodes if node.partitions_def]
    if one and several:
        raise InputError("--partition and --partition-range: give one of them")
    option = "--partition" if one else "--partition-range"
    if not partitioned:
        if one or several:
            raise InputError(f"{option}: none of the selected assets is partitioned; leave it out")
        return
    if not one and not several:
        raise InputError(MISSING)
    policies = [node.backfill_policy for node in nodes]
    if several and not all(policy and policy == dg.BackfillPolicy.single_run() for policy in policies):
        raise InputError(RANGES_ALONE)
    for known in _partitions([node.partitions_def for node in partitioned if node.partitions_def]):
        if one:
            texts.partition(one, known, f"--partition {one}")
        else:
            texts.partition_range(several, known)


def _partitions(definitions: Sequence[dg.PartitionsDefinition]) -> list[Sequence[str]]:
    """Names of the partitions of each definition; those that grow are read from the history."""
    if not any(isinstance(each, dg.DynamicPartitionsDefinition) for each in definitions):
        return [each.get_partition_keys() for each in definitions]
    with history.current() as instance:
        return [each.get_partition_keys(dynamic_partitions_store=instance) for each in definitions]
