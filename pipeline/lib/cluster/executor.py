"""Where steps run: in the process of the run, or as jobs of a Ray cluster when `RAY_ADDRESS` names one."""

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
    """The executor of all jobs. Nothing of Ray is imported before a run starts, and nothing at all without address."""
    return on_ray if os.environ.get(VARIABLE) else supervision.in_process


@dg.executor(name="ray", requirements=dg.multiple_process_executor_requirements())
def on_ray(context: dg.InitExecutorContext) -> Any:
    """Each step is a job of the Ray cluster at `RAY_ADDRESS`; a step whose machine dies is started on another."""
    try:
        client = connect(os.environ[VARIABLE])
    except InputError as error:
        bare_command.end_with(str(error))
        raise dg.Failure(str(error), allow_retries=False) from None
    from pipeline.lib.cluster.steps import RayExecutor

    return supervision.Attended(RayExecutor(client))


def connect(address: str) -> JobSubmissionClient:
    """A client of the cluster's jobs; raise `InputError` without the package, the right address or an answer."""
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
        raise InputError(f"{VARIABLE}={address}: no Ray cluster answers there; start it, or unset {VARIABLE}") from None
    except RuntimeError as error:  # it answers, and refuses: a token that is missing or wrong, another version
        raise InputError(f"{VARIABLE}={address}: {str(error).splitlines()[0]}") from None
