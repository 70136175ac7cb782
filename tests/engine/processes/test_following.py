"""Epochs that other processes write reach the trackers of this one, each once."""

from nsmodels.core.orders import Inputs
from nsmodels.engine.phases import Phases
from nsmodels.engine.processes.following import Follower
from nsmodels.engine.tracking import JsonLines
from tests.engine.toy import CONFIG


class Heard:
    def __init__(self):
        self.epochs = []

    def epoch(self, record):
        self.epochs.append(record["epoch"])

    def close(self):
        raise AssertionError("whoever trains closes the trackers")


def rows(*numbers):
    return [{"epoch": number, "train/loss": 1 / number} for number in numbers]


def test_each_epoch_is_told_once_however_often_one_looks(tmp_path):
    heard = Heard()
    follower = Follower(tmp_path / "metrics.jsonl", [heard])
    follower.look()  # nothing is there yet
    writer = JsonLines(tmp_path / "metrics.jsonl")
    for row in rows(1, 2):
        writer.epoch(row)
        follower.look()
        follower.look()
    writer.close()
    assert heard.epochs == [1, 2]


def test_a_training_that_goes_on_is_told_from_where_the_last_follower_was(tmp_path):
    path, first, second = tmp_path / "metrics.jsonl", Heard(), Heard()
    follower = Follower(path, [first])
    JsonLines(path, rows(1, 2)).close()
    follower.look()
    # that follower is killed; the processes finish an epoch more, and a resumed one begins the file anew
    JsonLines(path, rows(1, 2, 3)).close()
    follower = Follower(path, [second])
    JsonLines(path, rows(1, 2, 3, 4)).close()
    follower.look()
    follower.close()
    assert (first.epochs, second.epochs) == ([1, 2], [3, 4])
    assert [file.name for file in tmp_path.iterdir()] == ["metrics.jsonl"]


def test_what_another_kind_of_run_has_told_is_not_repeated(tmp_path):
    path, heard = tmp_path / "metrics.jsonl", Heard()
    JsonLines(path, rows(1, 2)).close()
    follower = Follower(path, [heard])
    JsonLines(path, rows(1, 2, 3)).close()
    follower.look()
    assert heard.epochs == [3]


def test_half_a_line_waits_for_its_other_half(tmp_path):
    path, heard = tmp_path / "metrics.jsonl", Heard()
    follower = Follower(path, [heard])
    path.write_text('{"epoch": 1}\n{"epo')
    follower.look()
    assert heard.epochs == [1]
    path.write_text('{"epoch": 1}\n{"epoch": 2}\n')
    follower.look()
    assert heard.epochs == [1, 2]


def test_epochs_before_the_first_look_are_told_by_the_next_follower(tmp_path):
    path, heard = tmp_path / "phase/metrics.jsonl", Heard()
    Follower(path, [Heard()])  # killed before it looked
    JsonLines(path, rows(1, 2)).close()
    Follower(path, [heard]).look()
    assert heard.epochs == [1, 2]


def test_a_training_that_never_began_leaves_nothing(tmp_path):
    Follower(tmp_path / "phase/metrics.jsonl", []).close()
    assert not list(tmp_path.iterdir())


def test_a_training_that_goes_on_in_one_process_leaves_nothing_of_its_follower(tmp_path, one_thread):
    Follower(tmp_path / "toy" / "metrics.jsonl", [Heard()])  # killed: nobody closes it
    config = CONFIG.with_values({"epochs": 1})
    Phases("tests.engine.toy", config, Inputs({}), tmp_path).fit("toy")
    assert [path.name for path in (tmp_path / "toy").glob(".told")] == []
    assert (tmp_path / "toy" / "metrics.jsonl").exists()
