"""Configuration: accepted values, reports of mistakes, and the fields that decide a fingerprint."""

import argparse
import inspect
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import Field, ValidationError, model_validator

from nsmodels.core import discover
from nsmodels.core.config import Config, add_flags, fingerprint, read_yaml, runtime_field, values_from_flags
from nsmodels.core.errors import InputError


class Engine(Config):
    """A section."""

    lr: float = Field(default=0.1, gt=0, le=10, description="learning rate")
    use_amp: bool = Field(default=True, description="mixed precision")
    widths: list[int] = Field(default=[1], description="widths")
    num_workers: int = runtime_field(4, ge=0, description="processes")


class Wheel(Config):
    """Another section with a field of the same name."""

    lr: float = Field(default=0.2, gt=0, description="learning rate")
    kind: typing.Literal["round", "square"] = Field(default="round", description="form")


class Car(Config):
    """Two sections and a field."""

    engine: Engine = Engine()
    wheel: Wheel = Wheel()
    seed: int | None = Field(default=None, ge=0, description="seed")


def parsed(*words: str) -> Car:
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_flags(parser, Car)
    return Car().with_values(values_from_flags(parser.parse_args(words)))


def test_a_configuration_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Car().engine.lr = 1.0  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"speed": 3}, r"^f.yaml: unknown field 'speed' \(known: engine, wheel, seed\)$"),
        ({"engine": {"ls": 1}}, r"^f.yaml: unknown field 'engine.ls' \(known: lr, use_amp, widths, num_workers\)$"),
        ({"wheel.size": 1}, r"^f.yaml: unknown field 'wheel.size' \(known: lr, kind\)$"),
        ({"nothing.here": 1}, r"^f.yaml: unknown field 'nothing' \(known: engine, wheel, seed\)$"),
        ({"engine.lr": 0}, r"^f.yaml: field 'engine.lr': Input should be greater than 0, got 0$"),
        ({"engine.lr": 11}, r"field 'engine.lr': .*less than or equal to 10, got 11"),
        ({"engine.lr": "nan"}, r"field 'engine.lr': "),
        ({"wheel.lr": "inf"}, r"field 'wheel.lr': Input should be a finite number"),
        ({"seed": -1}, r"field 'seed': .*greater than or equal to 0, got -1"),
        ({"seed": "many"}, r"field 'seed': .*integer.*, got 'many'"),
        ({"wheel.kind": "flat"}, r"field 'wheel.kind': .*'round' or 'square', got 'flat'"),
        ({"engine": 3}, r"field 'engine': .*got 3"),
        ({"engine.widths": [1, "x"]}, r"field 'engine.widths.1': .*got 'x'"),
        ({"engine.lr": -1, "seed": -1}, r"field 'engine.lr': .*; field 'seed': "),
    ],
)
def test_a_mistake_is_one_line_with_place_field_and_what_was_expected(values: dict, line: str) -> None:
    with pytest.raises(InputError, match=line) as caught:
        Car().with_values(values, "f.yaml")
    assert "\n" not in str(caught.value)


def test_values_replace_fields_and_leave_the_rest() -> None:
    car = Car().with_values({"engine": {"lr": 0.5}}).with_values({"engine.use_amp": False, "wheel": {"lr": 3}})
    assert (car.engine.lr, car.engine.use_amp, car.wheel.lr, car.wheel.kind) == (0.5, False, 3.0, "round")


def test_flags_are_dotted_and_flat_the_first_section_wins_the_short_name() -> None:
    assert parsed() == Car()
    assert parsed("--lr", "0.5").engine.lr == 0.5
    assert parsed("--lr", "0.5").wheel.lr == 0.2
    assert parsed("--wheel.lr", "0.7", "--engine.lr", "0.3") == Car(engine=Engine(lr=0.3), wheel=Wheel(lr=0.7))
    assert parsed("--kind", "square", "--seed", "7") == Car(wheel=Wheel(kind="square"), seed=7)
    assert parsed("--widths", "4", "8").engine.widths == [4, 8]


@pytest.mark.parametrize("flag", ["--no-use-amp", "--no-engine.use-amp"])
def test_a_boolean_can_be_switched_off_and_on(flag: str) -> None:
    assert parsed(flag).engine.use_amp is False
    assert parsed(flag, "--use-amp").engine.use_amp is True


def test_a_choice_among_numbers_is_a_number() -> None:
    class Grid(Config):
        connectivity: typing.Literal[4, 8] = Field(default=4, description="moves")

    parser = argparse.ArgumentParser()
    add_flags(parser, Grid)
    values = values_from_flags(parser.parse_args(["--connectivity", "8"]))
    assert Grid().with_values(values).connectivity == 8
    with pytest.raises(SystemExit):
        parser.parse_args(["--connectivity", "6"])


def test_an_unknown_flag_and_a_wrong_choice_are_refused() -> None:
    with pytest.raises((argparse.ArgumentError, SystemExit)):
        parsed("--speed", "3")
    with pytest.raises(argparse.ArgumentError, match="'flat'"):
        parsed("--kind", "flat")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("engine: {lr: 1", "not valid YAML"),
        ("- a\n- b\n", "expected a mapping of field names to values"),
        ("", "expected a mapping"),
        ("1: 2\n", "expected a mapping"),
        ("engine:\n  2: 3\n", "expected a mapping"),
        (b"\xff\xfe\x00bad", "cannot be read as a configuration file"),
    ],
)
def test_a_bad_yaml_file_is_one_line_that_names_it(tmp_path: Path, content: str | bytes, line: str) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=rf"^{path}: {line}") as caught:
        read_yaml(path)
    assert "\n" not in str(caught.value)


def test_a_missing_yaml_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such configuration file"):
        read_yaml(tmp_path / "absent.yaml")
    with pytest.raises(InputError, match=rf"^{tmp_path}: cannot be read"):
        read_yaml(tmp_path)


def test_a_yaml_file_is_nested_or_dotted(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_text("engine:\n  lr: 1e-3\nwheel.kind: square\n")
    car = Car().with_values(read_yaml(path))
    assert (car.engine.lr, car.wheel.kind) == (0.001, "square")


def test_the_fingerprint_ignores_runtime_fields() -> None:
    def mark(**values) -> str:
        return fingerprint(Car().with_values(values).relevant())

    assert mark(**{"engine.num_workers": 9}) == mark()
    others = [{"engine.lr": 0.2}, {"engine.use_amp": False}, {"wheel.kind": "square"}, {"seed": 0}]
    assert len({mark(), *(mark(**other) for other in others)}) == 5
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})


# --- all configurations of the project ----------------------------------------------------------------------------


def configs() -> Iterator[tuple[str, type[Config]]]:
    """Every Config class that a config module of ours defines or uses, by name."""
    seen: set[type] = set()
    for kind, names in (("datasets", discover.datasets()), ("systems", discover.systems())):
        for name in names:
            for _, found in inspect.getmembers(discover.module(kind, name, "config"), inspect.isclass):
                if issubclass(found, Config) and found is not Config and found not in seen:
                    seen.add(found)
                    yield f"{name}.{found.__name__}", found


CONFIGS = dict(configs())


def is_section(annotation: object) -> bool:
    return inspect.isclass(annotation) and issubclass(annotation, Config)


@pytest.mark.parametrize("name", CONFIGS)
def test_every_field_is_described_and_every_number_bounded(name: str) -> None:
    config = CONFIGS[name]
    assert config.__doc__
    for field, info in config.model_fields.items():
        if is_section(info.annotation):
            continue
        assert info.description, f"{name}.{field} has no description"
        if info.annotation in (int, float):
            assert any(hasattr(m, "ge") or hasattr(m, "gt") for m in info.metadata), f"{name}.{field} has no bounds"


@pytest.mark.parametrize("name", CONFIGS)
def test_configurations_are_two_levels_deep_at_most(name: str) -> None:
    for info in CONFIGS[name].model_fields.values():
        if is_section(info.annotation):
            assert not any(is_section(inner.annotation) for inner in info.annotation.model_fields.values())  # pyright: ignore[reportOptionalMemberAccess]


@pytest.mark.parametrize(("kind", "name"), [*(("datasets", n) for n in discover.datasets()),
                                            *(("systems", n) for n in discover.systems())])  # fmt: skip
def test_runtime_fields_do_not_enter_the_fingerprint_of_a_preset(kind: str, name: str) -> None:
    config = discover.module(kind, name, "config").PRESETS["debug"]()
    sections = {f"{k}.": v for k, v in config if isinstance(v, Config)} | {"": config}
    changed = 0
    for prefix, section in sections.items():
        for field, info in type(section).model_fields.items():
            if isinstance(info.json_schema_extra, dict) and info.json_schema_extra.get("runtime"):
                value = getattr(section, field)
                other = (not value) if isinstance(value, bool) else value + 1 if isinstance(value, int) else None
                if other is not None:
                    assert fingerprint(config.with_values({prefix + field: other}).relevant()) == fingerprint(
                        config.relevant()
                    )
                    changed += 1
    assert changed or "num_workers" not in type(config).model_fields


class Range(Config):
    """Two fields that must fit each other."""

    low: int = Field(default=0, description="lower end")
    high: int = Field(default=9, description="upper end")

    @model_validator(mode="after")
    def _in_order(self) -> "Range":
        if self.low > self.high:
            raise ValueError(f"low {self.low} is above high {self.high}")
        return self


def test_a_rule_over_several_fields_is_reported_with_its_own_message_only() -> None:
    with pytest.raises(InputError) as caught:
        Range.from_mapping({"low": 12}, "command line")
    assert str(caught.value) == "command line: low 12 is above high 9"
