"""The source document's configuration file as it stands, for every phase; and `--phase` on the command line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nsmodels.core.config import Given, flat
from nsmodels.core.errors import InputError
from nsmodels.core.orders import Inputs
from nsmodels.systems.world import SYSTEM
from nsmodels.systems.world.__main__ import parser
from nsmodels.systems.world.config import PHASES
from nsmodels.systems.world.training.translation import FIELDS, REASONS
from tests.systems.world.sample import write_sample

SOURCE = """
model:
  latent_dim: 128
  state_dim: 64
  action_dim: 16
  vision: {input_height: 64, input_width: 64, base_channels: 16}
  audio: {sample_rate: 16000, n_mels: 40}
  fusion: {num_heads: 4, num_layers: 3}
  temporal: {num_heads: 8, num_layers: 5, max_seq_len: 24}
training:
  batch_size: 16
  learning_rate: 2e-4
  weight_decay: 2e-4
  warmup_steps: 5
  max_steps: 100000
  vision_epochs: 40
  audio_epochs: 20
  fusion_epochs: 60
  dynamics_epochs: 25
data: {vision_dataset: "imagenet-1k", audio_dataset: "audioset", num_workers: 8, prefetch_factor: 2}
logging: {use_wandb: true, project: "mine", log_interval: 100, save_interval: 10}
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return Inputs.of(write_sample(tmp_path_factory.mktemp("clips"), num=30, size=32, samples=1600))


def given(text: str, phase: str, inputs: Inputs, path: Path) -> dict:
    path.write_text(text, encoding="utf-8")
    stage = SYSTEM.stage(phase)
    preset = stage.presets["paper"]()
    values = SYSTEM.read_config(path, stage, preset, inputs)
    return flat(preset.with_given(Given(values, "file", may_be_whole=True)).model_dump())


@pytest.mark.parametrize("phase", PHASES)
def test_each_value_is_a_field_of_its_phase_or_a_line(phase: str, data: Inputs, tmp_path: Path, capsys) -> None:
    found = given(SOURCE, phase, data, tmp_path / "training.yaml")
    shared = {"training.lr": 2e-4, "training.weight_decay": 2e-4, "training.batch_size": 16}
    shared |= {"training.max_steps": 100_000, "training.num_workers": 8}
    shared |= {"training.use_wandb": True, "training.wandb_project": "mine"}
    shared |= {"training.warmup_epochs": 2.5, "training.save_interval": 5}  # 30 clips are 2 steps of 16
    own = {
        "vision": {"model.latent_dim": 128, "model.image_size": 64, "model.base_channels": 16, "training.epochs": 40},
        "audio": {
            "model.sample_rate": 16_000,
            "model.n_mels": 40,
            "training.epochs": 20,
            "training.warmup_epochs": 2.0,
        },
        "fusion": {"model.state_dim": 64, "model.num_heads": 4, "model.num_layers": 3, "training.epochs": 60}
        | {"model.temporal_heads": 8, "model.temporal_layers": 5, "model.max_seq_len": 24},
        "dynamics": {"training.epochs": 25},
        "full": {},
    }[phase]
    wanted = shared | own
    assert {name: found[name] for name in wanted} == wanted
    lines = capsys.readouterr().err.splitlines()
    named = {re.sub(r"^\S+: (\S+?)=.*", r"\1", line) for line in lines if ": no effect here: " in line}
    silent = {name for name, fields in FIELDS.items() if "." in name and phase not in fields}
    assert named == silent | set(REASONS)
    assert any("limited to 2, a tenth" in line for line in lines) == (phase == "audio")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("training: {learning_rat: 1e-3, vision_epochs: 2}", "unknown field 'training.learning_rat'.*learning_rate"),
        ("model: {action_dim: 7}", "model.action_dim: expected 16"),
        ("model: {vision: {input_height: 64, input_width: 32}}", "are both model.image_size here and differ"),
        ("learning_rate: 1e-4\ntraining: {learning_rate: 1e-3}", "are both training.lr here and differ"),
        ("training: {warmup_steps: 1.5}", "warmup_steps: expected a number of steps, got 1.5"),
    ],
)
def test_what_it_cannot_mean_is_one_line(text: str, line: str, data: Inputs, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=line):
        given(text, "vision", data, tmp_path / "training.yaml")


def test_its_starting_points_and_our_own_names_are_read(data: Inputs, tmp_path: Path) -> None:
    text = "learning_rate: 1e-4\nbatch_size: 64\ntemperature: 0.5\nlatent_dim: 256\n"
    found = given(text, "vision", data, tmp_path / "conservative.yaml")
    preset = flat(SYSTEM.stage("vision").presets["conservative"]().model_dump())
    assert {name: found[name] for name in ("training.lr", "training.batch_size")} == {
        name: preset[name] for name in ("training.lr", "training.batch_size")
    }
    assert found["objective.temperature"] == preset["objective.temperature"] == 0.5
    own = given("training: {lr: 0.01}\nmodel: {latent_dim: 32}", "vision", data, tmp_path / "own.yaml")
    assert (own["training.lr"], own["model.latent_dim"]) == (0.01, 32)


def test_a_dimension_of_the_parent_that_differs_is_an_error(shared, data: Inputs, tmp_path: Path) -> None:
    parent = shared.trained("world", "impacts").folder_of(SYSTEM.stage("vision"))
    inputs = Inputs.of(data.data, parent=("parent", parent))
    with pytest.raises(InputError, match=r"model\.latent_dim: 128, but .* has 16; correct the file, or train from"):
        given(SOURCE, "audio", inputs, tmp_path / "training.yaml")


def test_phase_is_the_word_of_a_stage(capsys) -> None:
    words = ["--data", "clips", "--lr", "0.5", "--out", "here"]
    for command in (
        ["train", *words, "--phase", "vision"],
        ["train", "--phase=vision", *words],
        ["train", "vision", *words],
    ):
        found = vars(parser().parse_args(command))
        assert (found["config:training.lr"], found["out"]) == (0.5, Path("here"))
    later = parser().parse_args(["train", "--phase", "full", "--from", "there", *words])
    assert later.parent == Path("there")
    for unnamed in ([], ["--help-all"], words):
        with pytest.raises(SystemExit):
            parser().parse_args(["train", *unnamed])
        assert "expected --phase NAME, one of vision, audio, fusion, dynamics, full; see" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        parser().parse_args(["train", "--help"])
    assert "nsmodels world train --phase vision --help" in capsys.readouterr().out
