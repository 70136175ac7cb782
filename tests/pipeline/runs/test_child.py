"""Commands in processes of their own: alone and side by side, and what a signal does to them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from pipeline.lib.runs import child
from pipeline.lib.runs.child import Job

PROGRAM = """
import sys
from pipeline.lib.runs.child import Job, wait_all
print(wait_all([Job(name, ["sleep", "600"]) for name in "abc"], 2, None, lambda job: print(job.name, flush=True)))
"""


def shell(name: str, text: str, after: tuple[str, ...] = ()) -> Job:
    return Job(name, ["sh", "-c", text], after)


def test_lines_of_several_come_behind_their_names_and_statuses_by_name(capfd):
    jobs = [shell("one", "echo a; echo b >&2; exit 3"), shell("two", 'echo "$WORD"')]
    assert child.wait_all(jobs, 2, {"WORD": "c"}) == {"one": 3, "two": 0}
    assert sorted(capfd.readouterr().err.splitlines()) == ["one: a", "one: b", "two: c"]


def test_one_at_a_time_speaks_for_itself(capfd):
    assert child.wait_all([shell("one", "echo a"), shell("two", "echo b")], 1) == {"one": 0, "two": 0}
    assert capfd.readouterr().out == "a\nb\n"


def test_a_command_begins_when_those_it_follows_have_ended_and_no_more_than_asked_run_at_once(tmp_path):
    log = tmp_path / "log"
    follows = {"c": ("a", "b", "none"), "a": (), "b": (), "d": ()}
    jobs = [
        shell(name, f"echo +{name} >> {log}; sleep .3; echo -{name} >> {log}; exit 1", after)
        for name, after in follows.items()
    ]
    child.wait_all(jobs, 2)
    marks = log.read_text().split()
    assert marks.index("+c") > max(marks.index("-a"), marks.index("-b"))
    running, most = 0, 0
    for mark in marks:
        running += 1 if mark[0] == "+" else -1
        most = max(most, running)
    assert most == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_and_no_further_one_begins(number):
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True, env=os.environ)
    assert process.stdout
    assert [process.stdout.readline().strip() for _ in range(2)] == ["a", "b"]
    time.sleep(0.3)
    process.send_signal(number)
    assert process.communicate(timeout=20)[0] == f"{{'a': {128 + number}, 'b': {128 + number}}}\n"


def test_a_signal_that_comes_while_one_is_started_ends_that_too():
    def interrupt(job: Job) -> None:
        if job.name == "b":
            os.kill(os.getpid(), signal.SIGINT)

    assert child.wait_all([Job(name, ["sleep", "600"]) for name in "ab"], 2, None, interrupt) == {"a": 130, "b": 130}


def test_jobs_of_one_name_or_in_a_circle_are_refused():
    with pytest.raises(ValueError, match="different names"):
        child.wait_all([shell("one", "true"), shell("one", "true")], 2)
    with pytest.raises(ValueError, match="one, two follow each other"):
        child.wait_all([shell("one", "true", ("two",)), shell("two", "true", ("one",))], 2)


def test_each_has_a_lane_and_a_last_line_without_end_is_a_line(capfd):
    jobs = [shell(name, f"printf $NSMODELS_LANE; sleep {pause}") for name, pause in (("a", 1), ("b", 0.2), ("c", 0))]
    child.wait_all(jobs, 2)
    assert sorted(capfd.readouterr().err.splitlines()) == ["a: 1", "b: 2", "c: 2"]


def test_one_that_was_stopped_stops_the_others():
    jobs = [shell("one", "sleep .2; exit 143"), Job("two", ["sleep", "600"]), shell("three", "exit 0")]
    assert child.wait_all(jobs, 2) == {"one": 143, "two": 143}
