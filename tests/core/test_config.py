"""Configuration: accepted values, reports of mistakes, and the fields that decide a fingerprint."""

import argparse
import inspect
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import Field, ValidationError, model_validator

from nsmodels.core import discover
from nsmodels.core.config import (
    PRESET,
    Config,
    Given,
    above,
    add_flags,
    conditional,
    decided,
    fingerprint,
    from_environment,
    parse_json,
    partly_decided,
    read_yaml,
    runtime_field,
    values_from_flags,
)
from nsmodels.core.config.conditions import declared, value_of
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
        ({"wheel.lr": float("inf")}, r"field 'wheel.lr': Input should be a finite number"),
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


class Race(Config):
    """A section that has sections."""

    first: Car = Car()
    second: Car = Car()
    laps: int = Field(default=3, ge=1, description="laps")


def test_fields_of_a_section_within_a_section_have_their_whole_name_only() -> None:
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_flags(parser, Race)
    given = parser.parse_args(["--second.wheel.lr", "0.7", "--no-first.engine.use-amp", "--laps", "5"])
    found = Race().with_values(values_from_flags(given))
    assert found == Race(first=Car(engine=Engine(use_amp=False)), second=Car(wheel=Wheel(lr=0.7)), laps=5)
    with pytest.raises(SystemExit):
        parser.parse_args(["--lr", "0.7"])


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


PRESETS = {name: discover.module("datasets", name, "config").PRESETS for name in discover.datasets()}
PRESETS |= {
    f"{name} {stage.name}": stage.presets for name in discover.systems() for stage in discover.system(name).stages
}


@pytest.mark.parametrize("name", PRESETS)
def test_runtime_fields_do_not_enter_the_fingerprint_of_a_preset(name: str) -> None:
    config = PRESETS[name]["debug"]()
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


# --- conditions between fields --------------------------------------------------------------------------------------


class Gearbox(Config):
    """Fields that act with others only."""

    kind: typing.Literal["manual", "automatic", "none"] = Field(default="automatic", description="kind")
    num_gears: int = conditional(5, {"kind": ("manual", "automatic")}, ge=1, description="gears")
    clutch: float = conditional(0.5, {"kind": "manual"}, ge=0, description="grip of the clutch")
    log_every: int = runtime_field(0, ge=0, description="0: no log")
    log_name: str = runtime_field("log", applies={"log_every": above(0)}, description="name of the log")
    ratio: float = decided(1.0, "the wheels decide it", gt=0, description="ratio")


class Lorry(Config):
    """A section, another that it decides on, and one that can be switched off."""

    gearbox: Gearbox = Gearbox()
    trailer: Gearbox = partly_decided(Gearbox(), {"kind": "gearbox.kind decides"}, {"has_trailer": True})
    has_trailer: bool = Field(default=False, description="with a trailer")
    wheels: list[int] = conditional([4], {"gearbox.kind": ("manual",)}, description="wheels")


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"gearbox.clutch": 0.5}, "'gearbox.clutch' has no effect with kind=automatic; it needs kind=manual"),
        ({"gearbox": {"kind": "none", "num_gears": 5}}, "with kind=none; it needs kind=manual or automatic"),
        ({"gearbox.log_name": "x"}, "'gearbox.log_name' has no effect with log_every=0; it needs log_every above 0"),
        ({"gearbox.ratio": 1.0}, "'gearbox.ratio' has no effect: the wheels decide it"),
        (
            {"trailer.num_gears": 3},
            "'trailer.num_gears' has no effect with has_trailer=false; it needs has_trailer=true",
        ),
        ({"trailer.kind": "manual", "has_trailer": True}, "'trailer.kind' has no effect: gearbox.kind decides"),
        ({"wheels": [6]}, "'wheels' has no effect with gearbox.kind=automatic; it needs gearbox.kind=manual"),
    ],
)
def test_a_value_without_effect_is_an_error_that_names_the_mode(values: dict, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        Lorry().with_given(Given(values))
    assert str(caught.value).startswith("command line: ")
    assert reason in str(caught.value)
    assert Lorry().with_values(values)  # of the code itself, as in a preset


def test_a_value_with_effect_is_taken_whichever_way_its_mode_was_chosen() -> None:
    file = Given({"gearbox": {"clutch": 0.7}}, "f.yaml", may_be_whole=True)
    chosen = Lorry().with_given(file, Given({"gearbox.kind": "manual", "has_trailer": True, "trailer.num_gears": 2}))
    assert (chosen.gearbox.clutch, chosen.trailer.num_gears) == (0.7, 2)
    with pytest.raises(InputError, match=r"^f.yaml: 'gearbox.clutch' has no effect"):
        Lorry().with_given(file)


@pytest.mark.parametrize("values", [{"wheels.x": 1}, {"gearbox": 1}, {"gearbox.": 1}, {"gearbox": {"num_gears": "3"}}])
def test_a_value_of_a_wrong_type_is_an_error_also_where_a_later_one_replaces_it(values: dict) -> None:
    later = Given({"wheels": [6], "gearbox.num_gears": 3, "gearbox.kind": "manual"})
    with pytest.raises(InputError, match=r"^f.yaml: field "):
        Lorry().with_given(Given(values, "f.yaml", may_be_whole=True), later)


def test_a_whole_configuration_is_no_contradiction() -> None:
    preset = Lorry(gearbox=Gearbox(clutch=0.7))
    assert preset.with_given(Given(preset.model_dump(), "f.yaml", may_be_whole=True)) == preset
    assert preset.with_given(Given(Lorry().model_dump(), "f.yaml", may_be_whole=True)) == Lorry()
    third = Lorry().model_copy(update={"gearbox": Lorry().gearbox.model_copy(update={"clutch": 0.6})})
    assert preset.with_given(Given(third.model_dump(), "f.yaml", may_be_whole=True)) == third


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"seed": True}, "valid integer, got True"),
        ({"seed": 3.5}, "valid integer, got 3.5"),
        ({"seed": "3"}, "valid integer, got '3'"),
        ({"engine.lr": True}, "valid number, got True"),
        ({"engine.lr": "0.5"}, "valid number, got '0.5'"),
        ({"engine.lr": None}, "valid number, got None"),
        ({"engine.use_amp": 1}, "valid boolean, got 1"),
        ({"wheel.kind": 5}, "'round' or 'square', got 5"),
        ({"engine.widths": 4}, "valid list, got 4"),
        ({"engine.widths": [True]}, "valid integer, got True"),
        ({"engine.widths": [2, 10**23]}, "engine.widths: expected whole numbers of at most 64 bits"),
        ({"seed": 2**63}, "seed: expected whole numbers of at most 64 bits"),
    ],
)
def test_types_are_strict(values: dict, expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        Car().with_given(Given(values, "f.yaml"))


BOMB = "a0: &a0 [1, 1]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10))


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("seed: 1\nseed: 2\n", "'seed' is given twice, in lines 1 and 2"),
        ("engine: {lr: 1}\nseed: 2\nengine: {widths: [2]}\n", "'engine' is given twice, in lines 1 and 3"),
        ("engine:\n  lr: 1\n  lr: 2\n", "'engine.lr' is given twice, in lines 2 and 3"),
        ("engine.lr: 1\nengine:\n  lr: 2\n", "'engine.lr' is given twice, in lines 1 and 3"),
        ("seed: 1\n\"seed\": 2\n", "'seed' is given twice"),
        (BOMB, "more than 100,000 values"),
        ("a: &a [*a]\n", "the value in line 1 contains itself"),
        ("seed: " + "[" * 1000 + "]" * 1000, "nested too deeply"),
        ("seed: !!python/object:os.system x\n", "not valid YAML"),
        ("seed: !!int many\n", "not valid YAML"),
        ("seed: !!bool perhaps\n", "not valid YAML"),
        ("\tseed: 1\n", "not valid YAML"),
        ("seed: 1\n---\nseed: 2\n", "not valid YAML"),
        ("seed: \x00\n", "not valid YAML"),
        ("seed: 1\n".encode("utf-16"), "cannot be read as a configuration file .*UTF-8"),
        ("# " + "x" * 2**20, "larger than 1 MB"),
    ],
)  # fmt: skip
def test_an_ambiguous_or_hostile_yaml_file_is_one_line(tmp_path: Path, content: str | bytes, line: str) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=rf"^{path}: {line}") as caught:
        read_yaml(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_what_yaml_files_may_contain(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    content = "base: &base {lr: 1e-3, use_amp: yes}\nengine:\n  <<: *base\n  lr: 2E-2\nseed: 10_000\nkind: 010\n"
    path.write_bytes(b"\xef\xbb\xbf" + content.encode())
    found = read_yaml(path)
    assert found["engine"] == {"lr": 0.02, "use_amp": True}
    assert (found["seed"], found["kind"]) == (10_000, "010")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('{"a": {"b": 1, "b": 2}}', "^tag: 'b' is given twice"),
        ("[" * 100_000, "^tag: nested too deeply"),
        ("{a: 1}", "^tag: not valid JSON .*, got {a: 1}$"),
        ("", "^tag: not valid JSON"),
    ],
)
def test_ambiguous_json_is_one_line(text: str, line: str) -> None:
    with pytest.raises(InputError, match=line):
        parse_json(text, "tag")


@pytest.mark.parametrize("name", CONFIGS)
def test_conditions_refer_to_fields_that_there_are(name: str) -> None:
    try:
        config = CONFIGS[name]()
    except ValidationError:
        pytest.skip("has no default")
    for field, wanted in declared(config):
        section = field.rpartition(".")[0]
        if "." in wanted and not section and not hasattr(config, wanted.partition(".")[0]):
            continue  # a section by itself: its conditions on other sections are tested with the whole
        value_of(config, field), value_of(config, wanted)


@pytest.mark.parametrize(("name", "found"), [("", None), ("debug", "debug"), ("small", None)])
def test_the_preset_of_the_environment_is_taken_where_it_is_there(name, found, monkeypatch) -> None:
    monkeypatch.setenv(PRESET, name)
    assert from_environment(["debug", "quick", "base"]) == found


def test_a_slip_in_the_preset_of_the_environment_is_refused(monkeypatch) -> None:
    monkeypatch.setenv(PRESET, "debgu")
    with pytest.raises(InputError, match=r"NSMODELS_PRESET=debgu: unknown preset; did you mean debug\?"):
        from_environment(["debug", "quick", "base"])
