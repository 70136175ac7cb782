"""The launchpad shows every field and resolves given values over a preset."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Literal

import dagster as dg
import pytest
from pydantic import Field

from nsmodels.core.config import Config
from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr.config import ClevrConfig
from nsmodels.engine.config import TrainingConfig
from pipeline.lib.display.webpages import in_order
from pipeline.lib.launchpad import Launchpad, mirror


class Shape(Config):
    """Every type that Dagster does not accept in a pydantic model."""

    depth: Literal[1, 2] = Field(2, description="levels")
    size: tuple[int, int] = Field((3, 4), description="width and height")
    betas: tuple[float, ...] = Field((0.9, 0.99), description="momenta")
    folder: Path = Field(Path("a/b"), description="where")
    workers: int | str = Field("auto", description="how many")
    limit: float | None = Field(None, ge=0, description="none: no limit")
    words: list[str] = Field(["x"], max_length=3, description="names")
    mode: Literal["slow", "fast"] = Field("slow", description="how")


class Whole(Config):
    """Two levels, with a section whose defaults are not those of its class."""

    shape: Shape = Field(Shape(), description="the shape")
    training: TrainingConfig = Field(TrainingConfig(epochs=7), description="the training")
    name: str = Field("x", description="a name")


def small() -> Whole:
    return Whole(training=TrainingConfig(epochs=1), name="small")


def fits() -> tuple[str, str]:
    return "small", "no GPU found"


PAD = Launchpad({"small": small, "whole": Whole}, "whole", fits)


def launch(given, **tags):
    """Run an asset with the launchpad in Dagster, with tags `nsmodels/...`; returns the chosen configuration."""
    chosen, run_tags = [], {f"nsmodels/{name}": value for name, value in tags.items()}

    @dg.asset(config_schema=PAD.schema)
    def thing(context: dg.AssetExecutionContext) -> None:
        chosen.append(PAD.choose(context))

    dg.materialize([thing], run_config={"ops": {"thing": {"config": given}}}, tags=run_tags)
    return chosen[0]


def schema_of(pad: Launchpad) -> dict:
    return pad.schema.config_type.fields


@pytest.mark.parametrize("config", [Whole(), ClevrConfig(), TrainingConfig()], ids=lambda c: type(c).__name__)
def test_every_field_is_shown_with_description_and_default(config):
    fields = mirror(config).fields
    assert list(fields) == list(type(config).model_fields)
    for name, info in type(config).model_fields.items():
        value = getattr(config, name)
        assert info.description in fields[name].description
        if isinstance(value, Config):
            assert list(fields[name].config_type.fields) == list(type(value).model_fields)
        else:
            assert fields[name].default_value is None
            assert fields[name].description.endswith(f"; default: {json.dumps(value, default=str)}")


def test_a_section_keeps_the_defaults_of_its_owner():
    training = schema_of(PAD)["training"].config_type.fields
    assert training["epochs"].description.endswith("; default of whole: 7")
    assert training["batch_size"].description.endswith("; default of whole: 32")


def test_the_description_contains_bounds_and_choices():
    fields = mirror(Shape()).fields
    assert ">= 0" in fields["limit"].description
    assert "one of 1, 2" in fields["depth"].description
    assert "length <= 3" in fields["words"].description


def test_auto_is_the_preset_of_the_machine_with_the_reason():
    chosen = launch({})
    assert (chosen.preset, chosen.reason) == ("small", "no GPU found")
    assert chosen.config == small()


def test_given_values_override_the_preset():
    shape = {"size": [5, 6], "folder": "/c"}
    chosen = launch({"preset": "whole", "shape": shape, "training": {"lr": 0.5}, "force": True})
    assert chosen.config.shape.size == (5, 6)
    assert chosen.config.shape.folder == Path("/c")
    assert chosen.config.training.lr == 0.5
    assert chosen.config.training.epochs == 7
    assert chosen.force


def test_a_full_launchpad_changes_what_is_not_null():
    given = deepcopy(PAD.schema.default_value)
    assert launch(given).config == small()
    given["training"]["epochs"] = 7  # the default of whole, but not of the preset in use
    given["shape"]["mode"] = "slow"
    assert launch(given).changed == {"training.epochs": 7, "shape.mode": "slow"}


def test_the_tags_of_a_run_configure_a_backfill():
    chosen = launch({}, preset="whole", config='{"training.lr": 0.5, "shape": {"mode": "fast"}}')
    assert chosen.preset == "whole"
    assert chosen.changed == {"training.lr": 0.5, "shape.mode": "fast"}


def test_tags_take_precedence_over_a_launchpad_filled_in_by_the_ui():
    given = deepcopy(PAD.schema.default_value) | {"name": "mine"}
    chosen = launch(given, preset="whole", config='{"training": {"lr": 0.5}, "force": true}')
    assert (chosen.preset, chosen.force) == ("whole", True)
    assert chosen.changed == {"name": "mine", "training.lr": 0.5}


def test_tags_do_not_change_an_asset_without_presets(monkeypatch):
    monkeypatch.setattr(f"{__name__}.PAD", Launchpad({"whole": Whole}, "whole"))
    assert launch({}, preset="small", config='{"lr": 1}').config == Whole()


@pytest.mark.parametrize(
    ("tags", "line"),
    [
        ({"preset": "smal"}, "preset 'smal': unknown preset; did you mean small? (known: small, whole)"),
        ({"config": "lr=1"}, "run tag nsmodels/config: not valid JSON (Expecting value: "),
        ({"config": "[1]"}, "run tag nsmodels/config: expected a JSON object as in "),
        ({"config": '{"lr": 1}'}, "launchpad: unknown field 'lr' (known: shape, training, name)"),
    ],
)
def test_a_wrong_tag_is_one_line(tags, line):
    with pytest.raises(InputError) as error:
        launch({}, **tags)
    assert str(error.value).startswith(line)


def test_an_unknown_choice_is_refused_before_the_run_starts():
    with pytest.raises(dg.DagsterInvalidConfigError, match="not in enum type slow_or_fast"):
        launch({"shape": {"mode": "medium"}})


def test_a_single_given_value_counts_even_if_it_is_the_default():
    assert launch({"training": {"epochs": 7}}).config.training.epochs == 7


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"training": {"lr": -1.0}}, "launchpad: field 'training.lr': Input should be greater than 0, got -1.0"),
        ({"shape": {"depth": 3}}, "launchpad: field 'shape.depth': Input should be 1 or 2, got 3"),
        ({"shape": {"sise": [1, 2]}}, "launchpad: unknown field 'shape.sise' (known: depth, size, "),
    ],
)
def test_a_wrong_value_is_one_line(given, line):
    with pytest.raises(InputError) as error:
        PAD.resolve(given)
    assert str(error.value).startswith(line)
    assert "\n" not in str(error.value)


def test_an_unknown_field_is_refused_before_the_run_starts():
    with pytest.raises(dg.DagsterInvalidConfigError, match='unexpected config entry "sise"'):
        launch({"shape": {"sise": [1, 2]}})


def test_a_launchpad_begins_with_the_fields_of_its_own_and_the_main_sections():
    model = {"baseline_training": {"lr": 1}, "model": {"dim": 1}, "training": {"force": 2, "lr": 1}}
    found = in_order({"force": False, "model": model, "num_trials": 3, "preset": "auto", "space": []})
    assert list(found) == ["preset", "force", "num_trials", "space", "model"]
    assert list(found["model"]) == ["training", "model", "baseline_training"]
    assert found["model"] == model
