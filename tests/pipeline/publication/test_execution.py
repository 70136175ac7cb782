"""Steps run at the same time."""

import json

from nsmodels.core import hardware
from pipeline.publication import execution
from pipeline.publication.plan import plan

FIRST = {"visual": "clevr_mini_model", "natural": "gqa_mini_model", "nav": "nav_model", "world": "world_vision_model"}


def test_steps_at_the_same_time_begin_with_the_longest_and_follow_what_they_show(data, monkeypatch, tmp_path, capfd):
    program = tmp_path / "program"
    program.write_text('#!/bin/sh\necho "lane $NSMODELS_LANE on $OMP_NUM_THREADS"\nsleep .2\n')
    program.chmod(0o755)
    monkeypatch.setattr(execution.sys, "executable", str(program))
    steps = list(plan(data, range(3), ["visual", "natural", "nav", "world"]))
    monkeypatch.setenv("OMP_NUM_THREADS", "16")
    assert set(execution.execute(steps, "quick", 2).values()) == {0}
    lines = capfd.readouterr().err.splitlines()
    begun = [line.split()[1].rstrip(",:") for line in lines if line.startswith("[")]
    share = max(1, hardware.num_cores() // 2)
    said = {line.partition(": ")[2] for line in lines if not line.startswith("[")}
    assert said == {f"lane 1 on {share}", f"lane 2 on {share}"}
    assert begun.index("world_replicates") < begun.index("nav_replicates")
    for family in ("visual", "natural", "nav", "world"):
        (beside,) = (step for step in steps if step.keys[0].startswith(FIRST[family]) and not step.seeds)
        assert all(begun.index(name) < begun.index(beside.name) for name in beside.after)
    assert begun.index("clevr_mini_model") < begun.index("gqa_mini_model")


def test_studies_of_variants_take_the_cores_that_are_left(data):
    replicates, study, models = plan(data, range(3), ["world"])
    assert study.after == (replicates.name,)  # its full models are copies of them
    assert "num_workers" not in study.command[-1]
    assert json.loads(study.arguments(3)[-1]) == {"ops": {"world_ablations": {"config": {"num_workers": 3}}}}
    assert json.loads(models.arguments(3)[-1])["ops"]["world_model"] == {"config": {"training": {"seed": 0}}}
