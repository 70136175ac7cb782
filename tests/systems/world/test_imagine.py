"""Imagining from the command line: actions and changes in words, the simulator beside the model."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from nsmodels.__main__ import main
from nsmodels.core.errors import InputError
from nsmodels.formats.clips import files
from nsmodels.formats.clips.names import ACTION, STATES, VERBS
from nsmodels.systems.world.imagination.actions import Change, read_action, read_change
from nsmodels.systems.world.imagination.simulation import changed, course_of, scene_of, with_action

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def data(shared) -> Path:
    return shared.data("impacts")


def test_words_of_actions_and_changes() -> None:
    action = read_action("strike force=3 at=0.2,-0.1 direction=90 target=neighbour from=6")
    assert (action.verb, dict(action.values)) == (
        "strike",
        {"force": 3.0, "at": (0.2, -0.1), "direction": 90.0, "target": 1, "from": 6},
    )
    assert read_change("mass=2").size == pytest.approx(np.log(2))
    assert read_change("gravity=0").size == -3.0
    assert [read_change(f"support={word}").size for word in ("absent", "present")] == [-1.0, 1.0]
    assert read_change("colour=0.25").size == 0.25


@pytest.mark.parametrize(
    ("read", "text", "line"),
    [
        (read_action, "", "expected a verb first"),
        (read_action, "hit force=3", "expected a verb first"),
        (read_action, "strike forse=3", "did you mean force"),
        (read_action, "strike force=lots", "force=lots: expected a number from 0.1 to 200 "),
        (read_action, "strike force=nan", "expected a number"),
        (read_action, "strike at=0.2", "expected two numbers from -1 to 1"),
        (read_action, "strike force=1 speed=1", "give one of both"),
        (read_action, "lift direction=3", "'direction' has no effect in a lift"),
        (read_action, "push force=1 force=2", "given twice"),
        (read_change, "mas=2", "did you mean mass"),
        (read_change, "mass", "expected VARIABLE=VALUE"),
        (read_change, "support=2", "expected support=absent or support=present"),
        (read_change, "mass=-1", "expected a number from 0 to 20"),
    ],
)
def test_words_that_are_none_of_these_are_one_line(read, text: str, line: str) -> None:
    with pytest.raises(InputError, match=line):
        read(text)


def test_the_simulator_repeats_a_clip_and_changes_one_thing(data: Path) -> None:
    clips = files.read(data, "test")
    assert clips.states is not None
    assert clips.actions is not None
    verbs = np.asarray(clips.columns["verb"])
    row = int(np.flatnonzero(verbs == VERBS.index("strike"))[0])
    scene = scene_of(data, "test", row)
    again = course_of(scene)
    assert np.array_equal(again.states, clips.states[row])
    assert np.array_equal(again.actions, clips.actions[row])
    assert np.array_equal(course_of(changed(scene, Change("colour", 0.3))).states, again.states)
    assert not np.array_equal(course_of(changed(scene, Change("gravity", 0.5))).states, again.states)
    with pytest.raises(InputError, match="ask for the opposite"):
        changed(scene, Change("support", float(scene.has_support[0])))
    weak, strong = (
        course_of(with_action(scene, read_action(f"strike force={force} at=0.2,0.1"))) for force in (0.5, 3)
    )
    begin = int(scene.onset[0])
    assert np.array_equal(weak.states[:begin], again.states[:begin])  # what was observed stays as it was
    speed, u = (ACTION.index(name) for name in ("speed", "contact_u"))
    assert strong.actions[begin, speed] == pytest.approx(6 * weak.actions[begin, speed], rel=1e-5)
    assert strong.actions[begin, u] == pytest.approx(0.2)
    with pytest.raises(InputError, match="do not fit the clip"):
        with_action(scene, read_action("push from=2"))


def test_a_clip_is_imagined_drawn_and_written(data: Path, shared, tmp_path: Path, capsys) -> None:
    common = ["world", "imagine", "--checkpoint", str(shared.model("world")), "--data", str(data), "--device", "cpu"]
    name = str(files.read(data, "test").ids[1])
    picture, answer = tmp_path / "rollout.png", tmp_path / "rollout.json"
    words = ["--action", "strike force=3 at=0.2,0.1", "--do", "mass=2", "--draw", str(picture), "--json", str(answer)]
    assert main([*common, "--clip", name, *words]) == 0
    text = capsys.readouterr().out
    assert "do(mass x 2)" in text
    assert all(word in text for word in ("strike;", "hardness", "pushable", "90 % interval", "simulated"))
    found = json.loads(answer.read_text(encoding="utf-8"))
    shape = (16 - found["context"], len(STATES))
    assert np.shape(found["mean"]) == np.shape(found["simulated"]) == np.shape(found["changed"]["states"]) == shape
    assert picture.read_bytes()[:4] == b"\x89PNG"
    assert main([*common, "--clip", name, "--do", "colour=0.4"]) == 0
    assert "outcome " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--clip", "nothing"], r"--clip nothing: no such clip in .*; the first one is test-"),
        (["--clip", "test-0000001", "--draw", "x.txt"], r"--draw x\.txt: expected a name ending in \.png"),
        (["--clip", "test-0000001", "--context", "99"], r"context 99 and horizon -?\d+ do not fit"),
        (["--clip", "test-0000001", "--action", "push", "--context", "12"], r"--context 12: the actions differ from"),
    ],
)
def test_what_cannot_be_imagined_is_one_line(words, line: str, data: Path, shared, capsys) -> None:
    model = str(shared.model("world"))
    assert main(["world", "imagine", "--checkpoint", model, "--data", str(data), "--device", "cpu", *words]) == 2
    assert re.fullmatch(rf"error: .*{line}.*\n", capsys.readouterr().err)
