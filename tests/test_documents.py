"""The documents: a short README, links that resolve, commands that the programs accept, names that exist."""

import ast
import json
import re
import shlex
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import click
import dagster as dg
import pytest
import yaml
from dagster._cli import create_dagster_cli

import nsmodels
from docs.site.command_lines import names, parser_of, verbs
from pipeline.definitions import defs

ROOT = Path(__file__).parents[1]
# Keys in the documents that the definitions do not have yet, with the present keys.
PENDING = {"nav_replicates": "mazes_replicates", "nav_trials": "mazes_trials"}
FOLDERS = ("*", "docs/**/*", "nsmodels/**/*", "pipeline/**/*", "tests/**/*", "benchmarks/*", "notebooks/*")
PAGES = sorted([*(page for folder in FOLDERS for page in ROOT.glob(f"{folder}.md")), ROOT / "data/README.md"])
CURRENT = [page for page in PAGES if page.name not in ("LOG.md", "CHANGELOG.md")]  # those two record the past
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\[[^\]]*\]\((?!https?:|mailto:)([^)\s]+)\)")
ASSET = re.compile(r"([a-z][a-z_]*_(?:model|evaluation|replicates|trials))(?:/\w+)*")
IN_REPOSITORY = re.compile(r"(?:nsmodels|pipeline|tests|docs|benchmarks|notebooks)/(?:[\w./-]+\.\w+|[\w/]*/)")


@pytest.fixture(scope="module")
def repository() -> dg.RepositoryDefinition:
    return defs().get_repository_def()


def blocks(page: Path, *languages: str) -> list[str]:
    return [text for language, text in FENCE.findall(page.read_text()) if language in languages]


def prose(page: Path) -> str:
    return FENCE.sub("", page.read_text())


def spans(pages: list[Path]) -> list[str]:
    """Every text in backticks outside code blocks."""
    return [" ".join(span.split()) for page in pages for span in SPAN.findall(prose(page))]


def simple_commands(line: str) -> Iterator[list[str]]:
    """The commands of a shell line, split at operators, without comments, prompt and assignments."""
    lexer = shlex.shlex(line.removeprefix("$ "), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, ";"]:
        if set(word) <= set("();<>|&"):
            yield from [words] if words else []
            words = []
        elif words or not re.match(r"\w+=", word):
            words.append(word)


def commands() -> list[str]:
    """Every command of a shell block that has a check, in a form that can be split again."""
    shells = [text for page in CURRENT for text in blocks(page, "bash", "console", "sh")]
    lines = [line for text in shells for line in text.replace("\\\n", " ").splitlines()]
    found = dict.fromkeys(shlex.join(words) for line in lines for words in simple_commands(line))
    return [command for command in found if Path(command.split()[0]).name in CHECKS]


def inline_commands() -> list[str]:
    found = {re.sub(r"^\w+=\S+ ", "", span) for span in spans(CURRENT)}
    return sorted(command for command in found if re.match(r"nsmodels \w|make |python ", command))


def check_nsmodels(words: list[str], repository: dg.RepositoryDefinition) -> None:
    parser = parser_of(words[0])
    (parser.parse_args if verbs(parser) else parser.parse_intermixed_args)(words[1:])


def check_dagster(words: list[str], repository: dg.RepositoryDefinition) -> None:
    name, command = "dagster", create_dagster_cli()
    while isinstance(command, click.Group):
        name, *words = words
        command = command.commands[name]
    given = command.make_context(name, words).params
    if name == "materialize":
        check_selection(given, repository)


def check_selection(given: dict[str, str], repository: dg.RepositoryDefinition) -> None:
    graph = repository.asset_graph
    known = {key.to_user_string() for key in graph.get_all_asset_keys()}
    selected = [present(word, known) for word in given["select"].split(",")]
    keys = dg.AssetSelection.from_coercible(selected).resolve(graph)
    is_partitioned = bool(given["partition"] or given["partition_range"])
    assert {graph.get(key).partitions_def is not None for key in keys} == {is_partitioned}
    if given["config_json"]:
        job = repository.get_implicit_job_def_for_assets(keys)
        assert dg.validate_run_config(job, json.loads(given["config_json"]))


def check_make(words: list[str], repository: dg.RepositoryDefinition | None = None) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {word for word in words if "=" not in word} <= set(targets)


def check_python(words: list[str], repository: dg.RepositoryDefinition | None = None) -> None:
    assert find_spec(words[1]) if words[0] == "-m" else (ROOT / words[0]).is_file()


CHECKS = {"nsmodels": check_nsmodels, "dagster": check_dagster, "make": check_make, "python": check_python}


def present(key: str, known: set[str]) -> str:
    return key if key in known else PENDING.get(key, key)


def anchors(page: Path) -> set[str]:
    """Anchors of the headings of a page, as GitHub derives them."""
    headings = re.findall(r"^#{1,6} +(.+)$", prose(page), re.MULTILINE)
    slugs = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]
    return {f"{slug}-{n}" if (n := slugs[:i].count(slug)) else slug for i, slug in enumerate(slugs)}


def test_pages_of_packages_name_files_that_exist() -> None:
    for page in [page for page in PAGES if "nsmodels" in page.relative_to(ROOT).parts[:1]]:
        for name in re.findall(r"`([\w/]+\.py)`", page.read_text()):
            places = [ROOT / name, ROOT / "nsmodels" / name, *page.parent.rglob(name)]
            assert any(place.exists() for place in places), f"{page.relative_to(ROOT)}: {name}"


def test_the_readme_is_short() -> None:
    text = (ROOT / "README.md").read_bytes()
    assert text.count(b"\n") <= 250
    assert len(text) <= 12_000


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_resolve(page: Path) -> None:
    for target in LINK.findall(SPAN.sub("", prose(page))):
        path, _, anchor = target.partition("#")
        place = (page.parent / path).resolve() if path else page
        assert place.exists(), target
        assert not anchor or anchor in anchors(place), target


@pytest.mark.filterwarnings("ignore:Parameter `include_sources` of function")  # of selections with group: and key:
@pytest.mark.parametrize("command", commands())
def test_the_program_accepts_the_command(command: str, repository: dg.RepositoryDefinition) -> None:
    program, *words = shlex.split(command)
    CHECKS[Path(program).name](words, repository)


@pytest.mark.parametrize("name", [name for kind in names().values() for name in kind])
def test_every_command_has_a_row(name: str) -> None:
    page = (ROOT / "docs/commands.md").read_text()
    rows = set(re.findall(r"^\| `(nsmodels [^`]+)` \|", page, re.MULTILINE))
    likewise = SPAN.findall(" ".join(re.findall(r"; likewise ([^|]+)\|", page)))  # data that have the verbs of others
    if name not in likewise:
        assert {f"nsmodels {name} {verb}".strip() for verb in verbs(parser_of(name)) or [""]} <= rows


def test_a_folder_is_written_by_one_program() -> None:
    writers: dict[str, set[tuple[str, ...]]] = {}
    for words in map(shlex.split, commands()):
        if words[0] == "nsmodels" and "--out" in words:
            writers.setdefault(words[words.index("--out") + 1], set()).add(tuple(words[:2]))
    assert {folder: found for folder, found in writers.items() if len(found) > 1} == {}


@pytest.mark.parametrize("command", inline_commands())
def test_commands_in_the_text_name_what_exists(command: str) -> None:
    program, *words = [word for word in command.split() if word not in ("…", "...")]
    if program != "nsmodels":
        CHECKS[program](words)
        return
    parser = parser_of(words.pop(0))
    while verbs(parser) and words and not words[0].startswith("-"):
        parser = verbs(parser)[words.pop(0)]
    assert {word for word in words if word.startswith("--")} <= set(parser._option_string_actions)


@pytest.mark.parametrize("page", CURRENT, ids=lambda page: str(page.relative_to(ROOT)))
def test_code_blocks_are_valid(page: Path) -> None:
    for text in blocks(page, "yaml"):
        yaml.safe_load(text)
    for node in [node for text in blocks(page, "python") for node in ast.walk(ast.parse(text))]:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in ("nsmodels", "pipeline"):
            source = Path(find_spec(node.module).origin).read_text()
            for name in (each.name for each in node.names):
                assert re.search(rf"^(def |class )?{name}\b", source, re.M) or find_spec(f"{node.module}.{name}")
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "nsmodels":
            assert hasattr(nsmodels, node.attr)


def test_names_in_the_text_exist(repository: dg.RepositoryDefinition) -> None:
    known = {key.to_user_string() for key in repository.asset_graph.get_all_asset_keys()}
    pages = [page for page in CURRENT if page.parent != ROOT or page.name == "README.md"]
    found = [match[1] for span in spans(pages) if (match := ASSET.fullmatch(span))]
    assert sorted({key for key in found if present(key, known) not in known}) == []
    paths = [span for span in spans(CURRENT) if IN_REPOSITORY.fullmatch(span)]
    assert [path for path in paths if not (ROOT / path).exists()] == []
