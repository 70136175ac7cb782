"""Epochs written by other processes are reported to the trackers of this one, each once."""

from nsmodels.core.orders import Inputs
from nsmodels.engine.phases import Phases
from nsmodels.engine.processes.following import Follower
from nsmodels.engine.tracking import JsonLines
from tests.engine.toy import CONFIG


class Recorder:
    def __init__(self):
        self.epochs = []

    def epoch(self, record):
        self.epochs.append(record["epoch"])

    def close(self):
        raise AssertionError("whoever trains closes the trackers")


def rows(*numbers):
    return [{"epoch": number, "train/loss": 1 / number} for number in numbers]


def test_each_epoch_is_reported_once_however_often_it_polls(tmp_path):
    recorder = Recorder()
    follower = Follower(tmp_path / "metrics.jsonl", [recorder])
    follower.poll()  # no file yet
    writer = JsonLines(tmp_path / "metrics.jsonl")
    for row in rows(1, 2):
        writer.epoch(row)
        follower.poll()
        follower.poll()
    writer.close()
    assert recorder.epochs == [1, 2]


def test_a_resumed_training_is_reported_from_the_last_follower_on(tmp_path):
    path, first, second = tmp_path / "metrics.jsonl", Recorder(), Recorder()
    follower = Follower(path, [first])
    JsonLines(path, rows(1, 2)).close()
    follower.poll()
    # that follower is killed; the processes finish an epoch more, and a resumed run rewrites the file
    JsonLines(path, rows(1, 2, 3)).close()
    follower = Follower(path, [second])
    JsonLines(path, rows(1, 2, 3, 4)).close()
    follower.poll()
    follower.close()
    assert (first.epochs, second.epochs) == ([1, 2], [3, 4])
    assert [file.name for file in tmp_path.iterdir()] == ["metrics.jsonl"]


def test_epochs_of_a_run_without_a_follower_are_not_repeated(tmp_path):
    path, recorder = tmp_path / "metrics.jsonl", Recorder()
    JsonLines(path, rows(1, 2)).close()
    follower = Follower(path, [recorder])
    JsonLines(path, rows(1, 2, 3)).close()
    follower.poll()
    assert recorder.epochs == [3]


def test_half_a_line_waits_for_its_other_half(tmp_path):
    path, recorder = tmp_path / "metrics.jsonl", Recorder()
    follower = Follower(path, [recorder])
    path.write_text('{"epoch": 1}\n{"epo')
    follower.poll()
    assert recorder.epochs == [1]
    path.write_text('{"epoch": 1}\n{"epoch": 2}\n')
    follower.poll()
    assert recorder.epochs == [1, 2]


def test_epochs_before_the_first_poll_are_reported_by_the_next_follower(tmp_path):
    path, recorder = tmp_path / "phase/metrics.jsonl", Recorder()
    Follower(path, [Recorder()])  # killed before its first poll
    JsonLines(path, rows(1, 2)).close()
    Follower(path, [recorder]).poll()
    assert recorder.epochs == [1, 2]


def test_a_training_that_never_began_leaves_nothing(tmp_path):
    Follower(tmp_path / "phase/metrics.jsonl", []).close()
    assert not list(tmp_path.iterdir())


def test_a_training_resumed_in_one_process_leaves_nothing_of_its_follower(tmp_path, one_thread):
    Follower(tmp_path / "toy" / "metrics.jsonl", [Recorder()])  # killed: nobody closes it
    config = CONFIG.with_values({"epochs": 1})
    Phases("tests.engine.toy", config, Inputs({}), tmp_path).fit("toy")
    assert [path.name for path in (tmp_path / "toy").glob(".told")] == []
    assert (tmp_path / "toy" / "metrics.jsonl").exists()
