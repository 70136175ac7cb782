"""Work in fresh processes: same results, in order; a dead process is explained."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nsmodels.core.config import read_yaml
from nsmodels.core.errors import InputError
from nsmodels.core.workers import run


@pytest.mark.parametrize("count", [0, 1, 3])
def test_results_come_in_the_order_of_the_jobs(count: int) -> None:
    assert list(run(math.gcd, [(12 * k, 18) for k in range(7)], count)) == [math.gcd(12 * k, 18) for k in range(7)]


def test_a_process_that_dies_is_explained() -> None:
    with pytest.raises(InputError, match=r"worker process for _exit ended .*exit status 3\).*fewer workers"):
        list(run(os._exit, [(3,), (3,)], 2))


@pytest.mark.parametrize("count", [1, 2])
def test_bad_input_of_a_job_stays_one_line(count: int, capfd: pytest.CaptureFixture) -> None:
    with pytest.raises(InputError, match=r"^nowhere.yaml: no such configuration file$"):
        list(run(read_yaml, [(Path("nowhere.yaml"),)] * 3, count))
    assert capfd.readouterr().err == ""


def test_printing_does_not_disturb_the_answers(capfd: pytest.CaptureFixture) -> None:
    assert list(run(os.system, [("echo noise",), ("true",)], 2)) == [0, 0]
    assert "noise" in capfd.readouterr().err


def test_a_script_from_a_pipe_can_use_it() -> None:
    script = "import math\nfrom nsmodels.core.workers import run\n"
    script += "print(list(run(math.sqrt, [(4,), (9,)], 2)))"
    done = subprocess.run([sys.executable, "-"], input=script, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[2.0, 3.0]"
