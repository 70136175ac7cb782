"""The executor of all jobs: steps run in the process of the run, or on the Ray cluster at `RAY_ADDRESS` if set."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import dagster as dg

from nsmodels.core.errors import InputError
from pipeline.lib.runs import bare_command, supervision

if TYPE_CHECKING:
    from ray.job_submission import JobSubmissionClient

VARIABLE = "RAY_ADDRESS"


def executor() -> dg.ExecutorDefinition:
    """The executor of all jobs; imports Ray only when a run starts with `RAY_ADDRESS` set."""
    return on_ray if os.environ.get(VARIABLE) else supervision.in_process


@dg.executor(name="ray", requirements=dg.multiple_process_executor_requirements())
def on_ray(context: dg.InitExecutorContext) -> Any:
    """Executes each step as a job of the Ray cluster at `RAY_ADDRESS`; retries a step whose machine is lost."""
    try:
        client = connect(os.environ[VARIABLE])
    except InputError as error:
        bare_command.report_at_exit(str(error))
        raise dg.Failure(str(error), allow_retries=False) from None
    from pipeline.lib.cluster.steps import RayExecutor

    return supervision.SupervisedExecutor(RayExecutor(client))


def connect(address: str) -> JobSubmissionClient:
    """A client of the cluster's jobs at the address of its dashboard.

    Raises `InputError` if dagster-ray is not installed, the address is invalid, or the cluster is unavailable.
    """
    if not address.startswith(("http://", "https://")):
        raise InputError(f"{VARIABLE}: expected the address of Ray's dashboard (http://host:8265), got '{address}'")
    try:
        import dagster_ray  # noqa: F401  (what `steps` needs)
        from ray.job_submission import JobSubmissionClient
    except ImportError as error:
        line = f"{VARIABLE} is set, but '{error.name}' is not installed"
        raise InputError(f"{line}: pip install 'nsmodels[ray]', or unset {VARIABLE}") from None
    try:
        return JobSubmissionClient(address)
    except ConnectionError:
        raise InputError(f"{VARIABLE}={address}: no Ray cluster responds; start it, or unset {VARIABLE}") from None
    except RuntimeError as error:  # the cluster refuses: missing or wrong token, different version
        raise InputError(f"{VARIABLE}={address}: {str(error).splitlines()[0]}") from None
