"""The group `paper` and `make paper`: parts from what is sealed, steps that are left to do."""

import json
import signal
from pathlib import Path

import pytest
from dagster import AssetKey

from nsmodels.core import artifact, discover, hardware, interrupts
from nsmodels.paper import recipes
from nsmodels.paper.contents import ABLATIONS, FIGURES, PAPER, TRAININGS
from pipeline import publication
from pipeline.assets.systems import trainings
from pipeline.definitions import defs
from tests.paper.made import sealed_study
from tests.pipeline.jobs import job_of
from tests.shared import resealed


@pytest.fixture(scope="module")
def graph():
    return defs().get_repository_def().asset_graph


def test_without_anything_sealed_each_part_ends_with_one_line_and_its_command(data, instance):
    done = job_of(defs(), list(PAPER)).execute_in_process(instance=instance, raise_on_error=False)
    lines = [e.event_specific_data.user_failure_data.description for e in done.all_events if e.is_step_failure]
    assert len(lines) == len(PAPER)
    assert all("dagster asset materialize --select" in line and "\n" not in line for line in lines)
    assert not any((data / key).exists() for key in PAPER)


def test_cards_of_data_are_made_and_kept(data, instance):
    with artifact.build(
        data / "things", key="things", maker="nsmodels.datasets.mazes", config={}, code_version="1", source="synthetic"
    ) as part:
        (part.path / "words.txt").write_text("words")
    job = job_of(defs(), ["dataset_cards"])
    for is_reused in (False, True):
        done = job.execute_in_process(instance=instance)
        (event,) = done.get_asset_materialization_events()
        assert event.materialization.metadata["is_reused"].value is is_reused
    assert (data / "dataset_cards" / "things" / "croissant.json").is_file()


def test_the_contents_of_the_paper_are_assets(graph):
    keys = {key.to_user_string() for key in graph.get_all_asset_keys()}
    names = {name for names in TRAININGS.values() for name in names}
    assert names <= {each.name for each in trainings()}
    assert {*ABLATIONS, *PAPER, *(key for keys in FIGURES.values() for key in keys)} <= keys
    studies = {key for keys in publication.STUDIES.values() for key in keys}
    assert studies <= keys


@pytest.mark.parametrize("key", ABLATIONS)
def test_ablations_need_nothing_but_data(graph, key):
    parents = {graph.get(parent) for parent in graph.get(AssetKey(key)).parent_keys}
    assert parents
    assert {parent.group_name for parent in parents} == {"datasets"}
    for figure in publication.SHOWN[key]:
        assert graph.get(AssetKey(figure)).parent_keys == {AssetKey(key)}


@pytest.mark.parametrize(
    ("group", "wanted"), [("paper", PAPER), ("figures", [k for keys in FIGURES.values() for k in keys])]
)
def test_every_asset_of_these_groups_is_in_the_paper(graph, group, wanted):
    keys = {key.to_user_string() for key in graph.get_all_asset_keys() if graph.get(key).group_name == group}
    assert keys == set(wanted)


def sealed(folder: Path) -> None:
    with artifact.build(folder, key=folder.name, maker="m", config={}, code_version="1") as part:
        (part.path / "file").write_text("x")


def trained(folder: Path, preset: str, seed: int = 0) -> None:
    config = discover.system("nav").stages[0].presets[preset]().with_values({"training.seed": seed})
    about = {"key": folder.name, "maker": "nsmodels.systems.nav", "kind": "training", "code_version": "1"}
    with artifact.build(folder, config=config.relevant(), **about) as part:
        (part.path / "file").write_text("x")


def test_steps_are_those_that_are_left(data):
    steps = list(publication.plan(data, range(3), ["nav"]))
    assert [step.keys for step in steps] == [
        ("nav_replicates",),
        ("nav_ablations", "nav_ablation_study"),
        ("nav_model", "nav_evaluation", "nav_training_curves", "nav_success", "nav_policies"),
    ]
    assert [step.after for step in steps] == [(), (), ("nav_replicates",)]
    assert steps[0].command == ["asset", "materialize", "--select", "nav_replicates", "--partition-range", "0...2"]
    assert "about 3 min of CPU" in steps[0].text()
    assert steps[1].text().endswith(": about 3 min of CPU")
    assert steps[2].text().endswith(": seconds")  # the model is a copy of seed 0
    for seed in ("0", "1"):
        for part in ("model", "evaluation"):
            sealed(data / "nav_replicates" / seed / part)
    sealed(data / "nav_model")
    for key in steps[1].keys:
        sealed(data / key)
    first, second = publication.plan(data, range(3), ["nav"])
    assert first.command == ["asset", "materialize", "--select", "nav_replicates", "--partition", "2"]
    assert ": seconds" in first.text()  # what the sealed seeds took here
    assert "nav_model" not in second.keys
    for key in second.keys:
        sealed(data / key)
    for part in ("model", "evaluation"):
        sealed(data / "nav_replicates" / "2" / part)
    assert list(publication.plan(data, range(3), ["nav"])) == []


@pytest.mark.parametrize("training", trainings(), ids=lambda each: each.name)
def test_what_a_preset_of_a_training_has_made_is_told_as_of_it(training, data):
    stages = training.system.stages
    kind = f"training {training.stage}" if len(stages) > 1 and training.stage else "training"
    presets = training.model.presets
    for key in training.datasets:
        sealed(data / key)
    for name, preset in presets.items():
        with artifact.build(
            data / name,
            key=name,
            maker=training.system.package,
            kind=kind,
            config=preset().relevant(),
            code_version="1",
            inputs={key: data / key for key in training.datasets},
        ) as part:
            (part.path / "file").write_text("x")
        manifest = artifact.read_manifest(data / name)
        equal = {other for other, make in presets.items() if make().relevant() == preset().relevant()}
        assert {other for other in presets if recipes.has_preset(manifest, other)} == equal
        assert recipes.preset_of(manifest).name in equal


def test_what_the_preset_for_tests_has_made_is_no_part_of_a_different_one(data):
    for seed in ("0", "1", "2"):
        trained(data / "nav_replicates" / seed / "model", "debug", int(seed))
        sealed(data / "nav_replicates" / seed / "evaluation")
    for key in ("nav_model", "nav_evaluation", *publication.STUDIES["nav"], *FIGURES["nav"]):
        trained(data / key, "debug") if key == "nav_model" else sealed(data / key)
    assert list(publication.plan(data, range(3), ["nav"], "debug")) == []
    first, second = publication.plan(data, range(3), ["nav"], "quick")
    assert (first.keys, first.seeds) == (("nav_replicates",), (0, 1, 2))
    assert "about 3 min of CPU" in first.text()  # of the preset, not what the sealed ones took
    assert second.keys == ("nav_model",)


@pytest.mark.parametrize("change", [{"seeds": [0, 1]}, {"a_field_of_before": 1}], ids=["two seeds", "other form"])
def test_a_study_of_a_form_that_no_figure_takes_is_made_again(data, change):
    def left():
        return [key for step in publication.plan(data, (), ["natural"], "debug") for key in step.keys]

    study = sealed_study(data)
    assert "visual_ablations" not in left()
    content = json.loads((study / "report.json").read_text())
    for row in content["parts"]["gqa_mini"]["rows"]:
        row |= change
    (study / "report.json").write_text(json.dumps(content))
    resealed(study)
    assert "visual_ablations" in left()


def test_seeds_of_different_presets_are_refused_before_anything_is_made(data, capsys):
    for part in ("model", "evaluation"):
        trained(data / "nav_replicates" / "0" / part, "base")
    assert publication.main(["--families", "nav"]) == 2
    line = capsys.readouterr().err
    assert (
        "nav_replicates/0: sealed with the preset base, and seed 1 with quick cannot be taken together with it" in line
    )
    assert line.count("\n") == 1


def test_what_stays_of_a_different_preset_is_named(data, capsys):
    trained(data / "nav_model", "base")
    assert publication.main(["--families", "nav", "--dry-run"]) == 0
    text = capsys.readouterr().out
    assert "nav_model: kept as it is, of the preset base" in text
    assert "nav_evaluation, nav_training_curves" in text


def test_what_no_time_is_known_of_is_named(data, capsys):
    assert publication.main(["--families", "natural", "--dry-run", "--preset", "base"]) == 0
    *steps, last = capsys.readouterr().out.splitlines()
    unmeasured = "gqa_mini_baselines, vqa_mini_baselines, visual_baselines"
    assert steps[-1].endswith(f"gqa_consistency: {unmeasured} not measured")
    assert f"{unmeasured}; " in last
    assert publication.main(["--families", "natural", "--dry-run"]) == 0
    assert "not measured" not in capsys.readouterr().out
    assert publication.main(["--families", "graph", "--dry-run", "--preset", "small"]) == 2
    assert publication.main(["--families", "nav", "--dry-run", "--preset", "debug"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("3 steps to do")
    assert ": what was not measured: nav_replicates, nav_ablations; " in last


def test_steps_at_the_same_time_begin_with_the_longest_and_follow_what_they_show(data, monkeypatch, tmp_path, capfd):
    program = tmp_path / "program"
    program.write_text('#!/bin/sh\necho "lane $NSMODELS_LANE on $OMP_NUM_THREADS"\nsleep .2\n')
    program.chmod(0o755)
    monkeypatch.setattr(publication.sys, "executable", str(program))
    steps = list(publication.plan(data, range(3), ["visual", "natural", "nav", "world"]))
    monkeypatch.setenv("OMP_NUM_THREADS", "16")
    assert set(publication.execute(steps, "quick", 2).values()) == {0}
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


def test_systems_are_made_in_their_order_and_once(data, capsys):
    assert publication.main(["--families", "natural,nav,visual,nav", "--dry-run"]) == 0
    steps = [line.split()[0].rstrip(",") for line in capsys.readouterr().out.splitlines()[1:-1]]
    assert steps.count("nav_replicates") == 1
    assert steps.index("clevr_mini_model") < steps.index("gqa_mini_model") < steps.index("nav_model")


def test_studies_of_variants_take_the_cores_that_are_left(data):
    replicates, study, models = publication.plan(data, range(3), ["world"])
    assert study.after == (replicates.name,)  # its full models are copies of them
    assert "num_workers" not in study.command[-1]
    assert json.loads(study.arguments(3)[-1]) == {"ops": {"world_ablations": {"config": {"num_workers": 3}}}}
    assert json.loads(models.arguments(3)[-1])["ops"]["world_model"] == {"config": {"training": {"seed": 0}}}


def test_a_model_is_no_copy_of_a_replicate_of_a_different_preset(data):
    for seed in ("0", "1", "2"):
        for part in ("model", "evaluation"):
            trained(data / "nav_replicates" / seed / part, "base")
    _, step = publication.plan(data, range(3), ["nav"])
    assert "about 1 min of CPU" in step.text()
    assert json.loads(step.command[-1]) == {"ops": {"nav_model": {"config": {"training": {"seed": 0}}}}}


FIRST = {"visual": "clevr_mini_model", "natural": "gqa_mini_model", "nav": "nav_model", "world": "world_vision_model"}


def test_what_follows_from_something_that_is_to_be_made_is_made_again(data):
    for key in ("nav_model", "nav_ablations", *FIGURES["nav"]):
        sealed(data / key)
    with artifact.build(
        data / "nav_evaluation",
        key="nav_evaluation",
        maker="m",
        config={},
        code_version="1",
        inputs={"nav_model": data / "nav_model"},
    ) as part:
        (part.path / "file").write_text("x")
    assert [step.keys for step in publication.plan(data, (), ["nav"])] == []
    resealed(data / "nav_model", fingerprint="0" * 16)
    assert [step.keys for step in publication.plan(data, (), ["nav"])] == [("nav_evaluation",)]


def made(folder: Path, inputs: tuple[str, ...] = (), **about) -> None:
    """An artifact beside its inputs, by their names."""
    given = {"key": folder.name, "maker": "m", "config": {}, "code_version": "1", **about}
    with artifact.build(folder, inputs={key: folder.parent / key for key in inputs}, **given) as part:
        (part.path / "file").write_text("x")


def keys_of(families, preset="quick", seeds=()):
    root = artifact.data_root()
    return [key for step in publication.plan(root, seeds, families, preset) for key in step.keys]


def test_what_was_made_of_data_that_are_too_small_is_made_again(data):
    small = discover.module("datasets", "clevr", "config").PRESETS["small"]()
    made(data / "clevr_mini", config=small.relevant(), source="synthetic CLEVR")
    made(data / "clevr_mini_model", ("clevr_mini",))
    made(data / "clevr_mini_evaluation", ("clevr_mini_model", "clevr_mini"))
    assert {"clevr_mini_model", "clevr_mini_evaluation"} <= {*keys_of(["visual"])}
    assert "clevr_mini_model" not in keys_of(["visual"], "debug")


def test_a_comparison_follows_everything_that_it_joins(data, monkeypatch):
    parts = [f"{name}_{part}" for name in ("gqa_mini", "vqa_mini") for part in ("model", "evaluation", "baselines")]
    for key in (*parts, "visual_baselines", "performance_comparison", "clevr_mini_evaluation"):
        made(data / key)
    monkeypatch.setattr(publication.comparison, "is_current", lambda manifest: True)
    assert "visual_baselines" not in keys_of(["natural"])
    assert "visual_baselines" in keys_of(["visual", "natural"])  # clevr_mini_baselines is to be made


@pytest.mark.parametrize("is_of_today", [True, False])
def test_seeds_of_other_code_are_made_again_with_those_that_miss(data, is_of_today):
    nav = discover.system("nav")
    code, scores = (nav.code_version, nav.evaluation_version) if is_of_today else ("0", "0")
    config = nav.stages[0].presets["quick"]().relevant()
    for seed in ("0", "1"):
        place = data / "nav_replicates" / seed
        made(place / "model", maker=nav.package, kind="training", config=config, code_version=code)
        made(place / "evaluation", maker=nav.package, kind="evaluation", code_version=scores)
    (step, *_) = publication.plan(data, range(3), ["nav"])
    assert step.seeds == ((2,) if is_of_today else (0, 1, 2))
    assert list(publication.made_again(data, [step])) == (
        [] if is_of_today else ["nav_replicates: sealed before and made again, as data, code or preset differ: 0 1"]
    )
    assert "nav_replicates" not in keys_of(["nav"], seeds=range(2))  # nothing misses: what is sealed is kept


def test_seeds_of_other_data_are_made_again(data):
    made(data / "mazes")
    for seed in ("0", "1", "2"):
        place = data / "nav_replicates" / seed
        place.mkdir(parents=True)
        with artifact.build(
            place / "model", key="m", maker="m", config={}, code_version="1", inputs={"mazes": data / "mazes"}
        ) as part:
            (part.path / "file").write_text("x")
        made(place / "evaluation")
    assert "nav_replicates" not in keys_of(["nav"], seeds=range(3))
    resealed(data / "mazes", fingerprint="0" * 16)
    (step, *_) = publication.plan(data, range(3), ["nav"])
    assert step.seeds == (0, 1, 2)


def test_data_beside_synthetic_ones_are_synthetic_and_not_downloaded(data):
    steps = {step.name: step for step in publication.plan(data, range(3), ["visual", "natural"])}
    for name in ("gqa_mini", "vqa_mini"):
        given = json.loads(steps[name].command[-1])["ops"]
        assert given == {name: {"config": {"preset": "mini", "source": "synthetic"}}}
        assert steps[f"{name}_replicates"].after == (name,)
        assert steps["visual_ablations"].after == ("gqa_mini", "vqa_mini")
    assert "gqa_mini" not in keys_of(["natural"])
    assert "gqa_mini" not in keys_of(["visual", "natural"], "base")  # of the archives, all of them
    made(data / "gqa_mini", source="GQA")
    assert "gqa_mini" not in keys_of(["visual", "natural"])
    (line,) = publication.mixed(data, ["visual", "natural"], "quick")
    assert "mixed sources" in line


def test_a_dry_run_lists_steps_and_writes_nothing(data, capsys):
    assert publication.main(["--dry-run", "--families", "world,graph"]) == 0
    text = capsys.readouterr().out
    assert "world_replicates, seeds 0 1 2: about 54 min of CPU" in text
    assert "world_vision_model, world_audio_model, world_fusion_model, world_dynamics_model, world_model" in text
    assert "the same command goes on with what is missing" in text
    assert not any(data.iterdir()) if data.exists() else True


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("preset", "debg"),
        ("preset", "small"),
        ("seeds", "2...0"),
        ("seeds", "0...99"),
        ("families", "chess"),
        ("jobs", "two"),
    ],
)
def test_bad_options_are_one_line(data, word, value, capsys):
    assert publication.main([f"--{word}", value, "--dry-run"]) == 2
    line = capsys.readouterr().err
    assert f"--{word}: expected" in line
    assert line.count("\n") == 1


def test_after_a_failed_step_the_others_are_made_and_the_paper_of_what_there_is(data, monkeypatch, capfd, tmp_path):
    with artifact.build(
        data / "things", key="things", maker="nsmodels.datasets.mazes", config={}, code_version="1", source="synthetic"
    ) as part:
        (part.path / "words.txt").write_text("words")
    monkeypatch.setattr(publication.sys, "executable", "false")
    assert publication.main(["--families", "nav", "--jobs", "1", "--out", str(tmp_path / "paper")]) == 1
    text = capfd.readouterr().err
    assert "[3/3]" in text
    assert text.count("failed: nav_") == 3
    assert (tmp_path / "paper" / "dataset_cards" / "things" / "README.md").is_file()


def test_a_signal_between_two_steps_ends_it_with_the_line(data, monkeypatch, capfd, tmp_path):
    program = tmp_path / "signalling"
    program.write_text("#!/bin/sh\ntrap '' TERM\nkill -TERM $PPID\nsleep .3\n")
    program.chmod(0o755)
    monkeypatch.setattr(publication.sys, "executable", str(program))
    signals = {number: signal.getsignal(number) for number in interrupts.SIGNALS}
    assert publication.main(["--families", "nav", "--jobs", "1", "--out", str(tmp_path / "paper")]) == 143
    assert {number: signal.getsignal(number) for number in interrupts.SIGNALS} == signals
    text = capfd.readouterr().err
    assert text.splitlines()[-1] == interrupts.LINE
    assert "[2/3]" not in text


@pytest.mark.parametrize("number", [2, 15])
def test_a_step_that_is_stopped_ends_it(data, monkeypatch, capfd, tmp_path, number):
    program = tmp_path / "stopped"
    program.write_text(f"#!/bin/sh\nexit {128 + number}\n")
    program.chmod(0o755)
    monkeypatch.setattr(publication.sys, "executable", str(program))
    assert publication.main(["--families", "nav", "--jobs", "1", "--out", str(tmp_path / "paper")]) == 128 + number
    assert "[2/3]" not in capfd.readouterr().err
    assert not (tmp_path / "paper").exists()
