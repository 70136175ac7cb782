"""Private names of Dagster, gathered: Dagster may move each in any version, so that `dagster` is pinned exactly.

Each line ends with what the name is needed for; no other module imports from `dagster._…`. To change the version, run
`tests/pipeline/test_internals.py`, which lists the names that the version lacks, one line each.
"""
# ruff: noqa: F401, I001

from dagster._check import CheckError  # a selection that Dagster refuses ends in one line
from dagster._cli.workspace.cli_target import (
    get_repository_python_origin_from_cli_opts,
)  # options of a command are checked against its definitions
from dagster._cli.workspace.cli_target import (
    get_run_config_from_cli_opts,
)  # the configuration of a command, before it runs
from dagster._core.definitions.asset_selection import (
    DagsterInvalidAssetSelectionError,
)  # a selection that is no selection ends in one line
from dagster._core.definitions.asset_selection import KeysAssetSelection  # an asset that does not exist is named
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph  # what a selection is resolved in
from dagster._core.definitions.assets.graph.asset_graph import AssetNode  # keys, groups, kinds and tags of an asset
from dagster._core.definitions.assets.graph.asset_graph_subset import AssetGraphSubset  # the backfill of a sweep
from dagster._core.definitions.assets.graph.base_asset_graph import BaseAssetGraph  # what is built from a model
from dagster._core.definitions.assets.job.asset_job import IMPLICIT_ASSET_JOB_NAME  # the job that has every asset
from dagster._core.definitions.events import AssetKeyPartitionKey  # the backfill of a sweep
from dagster._core.errors import DagsterExecutionInterruptedError  # how a step learns of a cancelled run
from dagster._core.events import DagsterEvent  # a step on a cluster that is tried again
from dagster._core.execution import compute_logs  # the output of a step on the terminal survives Ctrl-C
from dagster._core.execution import context_creation_job  # the console without stacks of user errors
from dagster._core.execution.backfill import BULK_ACTION_TERMINAL_STATUSES  # backfills that are finished
from dagster._core.execution.backfill import PartitionBackfill  # the backfill of a sweep
from dagster._core.execution.compute_logs import (
    execute_posix_tail,
)  # the output of a step on the terminal survives Ctrl-C
from dagster._core.execution.context.system import IStepContext  # a step on a cluster
from dagster._core.execution.context.system import PlanExecutionContext  # a step that waits for its pool
from dagster._core.execution.context.system import PlanOrchestrationContext  # the run of an executor
from dagster._core.execution.plan import active  # a step that waits for its pool
from dagster._core.execution.plan.active import ActiveExecution  # no step starts after a signal
from dagster._core.execution.plan.objects import StepRetryData  # a step on a cluster that is tried again
from dagster._core.execution.plan.plan import ExecutionPlan  # the steps of an executor
from dagster._core.execution.plan.step import ExecutionStep  # no step starts after a signal
from dagster._core.execution.retries import RetryMode  # an executor that tries again
from dagster._core.execution.step_dependency_config import StepDependencyConfig  # a wrapped executor
from dagster._core.executor.step_delegating import CheckStepHealthResult  # a step on a cluster whose machine is lost
from dagster._core.executor.step_delegating import StepDelegatingExecutor  # steps on a cluster
from dagster._core.executor.step_delegating import StepHandlerContext  # steps on a cluster
from dagster._core.instance import InstanceRef  # the history of a folder, as `dagster dev` opens it
from dagster._core.launcher.base import CheckRunHealthResult  # whether the process of a run is alive
from dagster._core.launcher.base import LaunchRunContext  # a run that selects nothing is refused
from dagster._core.launcher.base import WorkerStatus  # whether the process of a run is alive
from dagster._core.log_manager import LOG_RECORD_METADATA_ATTR  # the console without stacks of user errors
from dagster._core.snap.snap_to_yaml import default_values_from_type_snap  # a launchpad with every field
from dagster._core.snap.snap_to_yaml import default_values_yaml_from_type_snap  # the rest of that launchpad
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES  # trials of a sweep that are queued or running
from dagster._core.storage.event_log import SqliteEventLogStorage  # files of a history on this disk
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager  # files of a history on this disk
from dagster._core.storage.runs.in_memory import InMemoryRunStorage  # whether several machines share a history
from dagster._core.storage.runs.sqlite import SqliteRunStorage  # whether several machines share a history
from dagster._core.storage.tags import BACKFILL_ID_TAG  # runs of a backfill are kept until it is finished
from dagster._core.storage.tags import GRPC_INFO_TAG  # whether the code server of a run is alive
from dagster._core.storage.tags import PARTITION_NAME_TAG  # the trial of a run
from dagster._core.storage.tags import RUN_KEY_TAG  # runs that a sensor must not request again
from dagster._daemon.controller import get_daemon_statuses  # a sweep that no daemon would start
from dagster._grpc.types import ExecuteStepArgs  # a step on a cluster ends with its run
from dagster._loggers import colored_console_logger  # the console without stacks of user errors
from dagster._loggers import default_system_loggers  # the console without stacks of user errors
from dagster._utils.hosted_user_process import (
    recon_repository_from_origin,
)  # options of a command are checked against its definitions
from dagster._utils.interrupts import raise_interrupts_as  # a signal between two steps
