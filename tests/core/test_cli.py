"""The command line: help, and one line for every wrong command."""

import argparse
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic.fields import FieldInfo

import nsmodels
from nsmodels.__main__ import main
from nsmodels.core import discover
from nsmodels.core.cli import Parser, add_config_flags, config_from, run
from nsmodels.core.config import Config, flat, read_yaml
from nsmodels.core.config.base import section_of
from nsmodels.core.config.help import as_text
from nsmodels.core.errors import InputError

ROOT = Path(__file__).parents[2]
NAMES = [*discover.systems(), *discover.datasets()]


def choices(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The verbs, or stages, of a parser."""
    return next((dict(action.choices) for action in parser._actions if isinstance(action.choices, dict)), {})


def parser_of(name: str) -> argparse.ArgumentParser:
    return discover.module("systems" if name in discover.systems() else "datasets", name, "__main__").parser()


def commands(parser: argparse.ArgumentParser, *words: str) -> list[tuple[str, ...]]:
    """The words of a parser and of all parsers below it."""
    below = [command for word, inner in choices(parser).items() for command in commands(inner, *words, word)]
    return [words, *below]


# Commands with a flag for every field of a configuration; the first verb of a dataset builds it.
CONFIGURED: dict[tuple[str, ...], type[Config]] = {
    (name, "train", *([stage.name] if len(discover.system(name).stages) > 1 else [])): type(stage.presets["debug"]())
    for name in discover.systems()
    for stage in discover.system(name).stages
} | {
    (name, next(iter(choices(parser_of(name))))): type(discover.module("datasets", name, "config").debug())
    for name in discover.datasets()
}


def outcome(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of a command."""
    try:
        status = main(words)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def presets_of(words: tuple[str, ...]) -> dict[str, Callable[[], Config]]:
    if words[0] in discover.systems():
        return dict(discover.system(words[0]).stage((*words, "")[2]).presets)
    return discover.module("datasets", words[0], "config").PRESETS


def fields_of(config: type[Config], dotted: str) -> list[FieldInfo]:
    """The fields along a dotted name."""
    name, _, rest = dotted.partition(".")
    field = config.model_fields[name]
    return [field, *(fields_of(section, rest) if (section := section_of(field)) else [])]


def flags(config: type[Config]) -> list[str]:
    found = []
    for name, info in config.model_fields.items():
        kind = info.annotation
        is_section = isinstance(kind, type) and issubclass(kind, Config)
        found += [f"{name}.{inner}" for inner in kind.model_fields] if is_section else [name]
    return [f"--{name.replace('_', '-')}" for name in found]


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",)])
def test_without_arguments_it_lists_systems_and_datasets(capsys, words) -> None:
    status, out, err = outcome(capsys, *words)
    assert (status, err) == (0, "")
    assert "usage: nsmodels <system or dataset> <verb>" in out
    assert all(f"\n  {name}" in out for name in NAMES)


@pytest.mark.parametrize("word", ["--version", "-V"])
def test_the_version_is_that_of_the_package(capsys, word: str) -> None:
    assert outcome(capsys, word) == (0, f"nsmodels {nsmodels.__version__}\n", "")
    assert nsmodels.__version__ == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def test_what_there_is_has_one_column_of_names(capsys) -> None:
    lines = [line for line in outcome(capsys, "--help")[1].splitlines() if line.startswith("  ")]
    assert {line[2:].split()[0] for line in lines} >= set(NAMES)
    assert len({len(line) - len(line[2:].split(maxsplit=1)[1]) for line in lines}) == 1


def test_a_missing_image_is_one_line_before_anything_is_loaded(capsys) -> None:
    words = ("natural", "answer", "--checkpoint", "absent", "--image", "absent.png", "Who?")
    assert outcome(capsys, *words) == (2, "", "error: --image absent.png: no such image\n")


def test_an_unknown_system_is_one_line_that_names_the_known(capsys) -> None:
    status, out, err = outcome(capsys, "visaul", "train")
    assert (status, out) == (2, "")
    assert err.startswith("error: no system, dataset or command 'visaul'; did you mean visual? (there are: ")
    assert all(name in err for name in NAMES)
    assert err.count("\n") == 1


@pytest.mark.parametrize("words", [each for name in NAMES for each in commands(parser_of(name), name)], ids=" ".join)
def test_help_of_every_verb(capsys, words: tuple[str, ...]) -> None:
    status, out, err = outcome(capsys, *words, "--help")
    assert (status, err) == (0, "")
    assert f"usage: nsmodels {words[0]}" in out


@pytest.mark.parametrize("words", CONFIGURED, ids=" ".join)
def test_help_mentions_every_field_with_its_description(capsys, words: tuple[str, ...]) -> None:
    _, out, _ = outcome(capsys, *words, "--help-all")
    text, config = "".join(out.split()).replace("--[no-]", "--"), CONFIGURED[words]
    assert [flag for flag in flags(config) if flag not in text and f"--{flag.rpartition('.')[2]}" not in text] == []
    for section in config.model_fields.values():
        inner = getattr(section.annotation, "model_fields", {"": section})
        missing = [info.description for info in inner.values() if "".join((info.description or "").split()) not in text]
        assert missing == []


@pytest.mark.parametrize("words", CONFIGURED, ids=" ".join)
def test_the_short_help_has_the_flags_that_people_use(capsys, words: tuple[str, ...]) -> None:
    _, out, _ = outcome(capsys, *words, "--help")
    assert len(out.splitlines()) <= 90
    assert sum(line.startswith("  --") for line in out.splitlines()) <= 35
    assert all(flag in out for flag in (["--epochs", "--lr", "--seed"] if "train" in words else ["--out"]))


@pytest.mark.parametrize("words", CONFIGURED, ids=" ".join)
def test_help_shows_the_values_of_the_chosen_preset(capsys, words: tuple[str, ...]) -> None:
    for name, make in presets_of(words).items():
        _, out, _ = outcome(capsys, *words, "--preset", name, "--help-all")
        text = "".join(out.split())
        for dotted, value in flat(make().model_dump()).items():
            *_, field = fields_of(type(make()), dotted)
            assert f"{''.join((field.description or '').split())}[{''.join(as_text(value).split())}]" in text, dotted


@pytest.mark.parametrize("words", CONFIGURED, ids=" ".join)
def test_a_printed_configuration_is_read_as_the_same(capsys, tmp_path: Path, words: tuple[str, ...]) -> None:
    for name, make in presets_of(words).items():
        status, out, _ = outcome(capsys, *words, "--preset", name, "--print-config")
        assert status == 0
        (tmp_path / "mine.yaml").write_text(out)
        assert type(make()).from_mapping(read_yaml(tmp_path / "mine.yaml")) == make()
        status, again, _ = outcome(capsys, *words, "--config", str(tmp_path / "mine.yaml"), "--print-config")
        assert (status, again) == (0, out)


def test_flags_of_a_section_that_needs_its_name_have_it(capsys) -> None:
    parser = parser_of("visual")
    train = choices(parser)["train"]
    known = {option for action in train._actions for option in action.option_strings}
    assert {"--baseline.is-enabled", "--baseline.channels", "--training.lr", "--lr"} <= known
    assert known.isdisjoint({"--is-enabled", "--channels"})


@pytest.mark.parametrize("words", CONFIGURED, ids=" ".join)
@pytest.mark.parametrize("wrong", [["--no-such-field", "3"], ["--preset", "gigantic"], []])
def test_a_wrong_command_is_one_line_and_status_2(capsys, tmp_path, words: tuple[str, ...], wrong: list[str]) -> None:
    places = ["--out", str(tmp_path / "out"), *(["--data", str(tmp_path)] if "train" in words else [])]
    is_child = "train" in words and discover.system(words[0]).stage((*words, "")[2]).starts_from is not None
    places += ["--parent", str(tmp_path)] if is_child else []
    status, out, err = outcome(capsys, *words, *(places if wrong else []), *wrong)
    assert (status, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert all(word in err for word in wrong[:1] or ["--out"])
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("words", [each for name in NAMES for each in commands(parser_of(name), name)], ids=" ".join)
def test_an_unknown_flag_leads_to_the_help_that_has_the_known_ones(capsys, words: tuple[str, ...]) -> None:
    parser = parser_at(words)
    if choices(parser):
        return
    known = max(parser._option_string_actions, key=len)
    wrong = f"{known[:-2]}{known[-1]}{known[-2]}"  # before what is required: it may be that, misspelt
    line = f"error: unrecognized arguments: {wrong}; see {parser.prog} --help; did you mean {known}?\n"
    assert outcome(capsys, *words, wrong, "3") == (2, "", line)


def parser_at(words: tuple[str, ...]) -> argparse.ArgumentParser:
    found = parser_of(words[0])
    for word in words[1:]:
        found = choices(found)[word]
    return found


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("visual", "trian"), "; did you mean train?; see nsmodels visual --help"),
        (("nav", "train", "--preset", "qick"), "; did you mean quick?; see nsmodels nav train --help"),
        (("verify", "--al"), "unrecognized arguments: --al; see nsmodels verify --help; did you mean --all?"),
        (
            ("mazes", "generate", "--out", "OUT", "more"),
            "unrecognized arguments: more; see nsmodels mazes generate --help",
        ),
        (("mazes", "generate", "--out", "OUT", "--help", "--sede", "3"), None),
    ],
)
def test_a_slip_is_answered_where_it_was_made(capsys, words: tuple[str, ...], line: str | None) -> None:
    status, out, err = outcome(capsys, *words)
    if line is None:  # who asks for help gets it
        assert (status, err) == (0, "")
        assert out.startswith("usage: nsmodels mazes generate")
    else:
        assert (status, out) == (2, "")
        assert err.endswith(f"{line}\n")
        assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "missing"),
    [
        (("search",), "TRAINING"),
        (("sweep",), "MODEL"),
        (("sweep", "--preset", "debug"), "MODEL"),
        (("paper",), "--out"),
        (("visual", "answer", "--checkpoint", "x"), "--image"),
        (("visual", "answer", "--image", "x"), "--checkpoint"),
        (("world", "train", "--phase", "audio", "--data", "x", "--out", "y"), "--from"),
    ],
)
def test_what_is_missing_is_named_and_nothing_else(capsys, words: tuple[str, ...], missing: str) -> None:
    status, out, err = outcome(capsys, *words)
    assert (status, out) == (2, "")
    assert err.startswith(f"error: the following arguments are required: {missing}; see nsmodels {words[0]}")


@pytest.mark.parametrize("words", [("search", "--help"), ("search", "--help-all"), ("sweep", "--help")])
def test_help_with_examples_is_as_wide_as_the_others_and_keeps_their_lines(capsys, words: tuple[str, ...]) -> None:
    status, out, _ = outcome(capsys, *words)
    before = out.partition("examples:")[0]
    assert status == 0
    assert 80 < max(map(len, before.splitlines())) <= 100
    assert f"examples:\n  nsmodels {words[0]} nav" in out


def test_help_does_not_import_torch() -> None:
    code = "import sys; from nsmodels.__main__ import main\n"
    code += f"for words in ([], *([[name, '--help'] for name in {NAMES}])):\n"
    code += "    try: main(words)\n    except SystemExit: pass\n"
    code += "print([name for name in ('torch', 'timm', 'pandas', 'matplotlib') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


def test_a_file_overrides_the_preset_and_a_flag_the_file(tmp_path: Path) -> None:
    presets = discover.system(NAMES[0]).presets
    config = type(presets["debug"]())
    parser = Parser()
    add_config_flags(parser, presets, "debug")
    path = tmp_path / "mine.yaml"
    path.write_text("training:\n  epochs: 7\n  lr: 0.5\n")
    given = parser.parse_args(["--config", str(path), "--lr", "0.25", "--no-use-amp"])
    made = config_from(given, presets, "debug")
    wanted = presets["debug"]().with_values({"training.epochs": 7, "training.lr": 0.25, "training.use_amp": False})
    assert isinstance(made, config)
    assert made == wanted
    path.write_text("training:\n  epoch: 7\n")
    with pytest.raises(InputError, match=rf"^{path}: unknown field 'training.epoch' \(known: epochs, "):
        config_from(given, presets, "debug")


def test_an_abbreviated_flag_is_an_error(capsys) -> None:
    parser = Parser(prog="nsmodels visual train")
    add_config_flags(parser, discover.system("visual").presets, "debug")
    with pytest.raises(SystemExit) as end:
        parser.parse_args(["--perception.back", "x"])
    assert end.value.code == 2
    assert "--perception.back" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (InputError("f.json: field 'x'\n is  wrong"), 2, "error: f.json: field 'x' is wrong\n"),
        (KeyboardInterrupt(), 130, "stopped; run the same command again, finished work is kept\n"),
        (OSError(28, "No space left on device", "/data/f.png"), 2, "error: /data/f.png: no space left on the disk"),
        (BrokenPipeError(), 141, ""),
    ],
)
def test_what_ends_a_command_becomes_a_line_and_a_status(capsys, error, status: int, line: str) -> None:
    def fail() -> None:
        raise error

    assert run(fail) == status
    assert capsys.readouterr().err.startswith(line)


@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_a_reader_that_has_gone_is_no_error(capsys, monkeypatch, flag: str) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        assert main([flag]) == 141
    assert capsys.readouterr().err == ""


def test_a_bug_is_not_reported_as_bad_input() -> None:
    with pytest.raises(ZeroDivisionError):
        run(lambda: 1 // 0)
