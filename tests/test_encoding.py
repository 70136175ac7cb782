"""Text is read and written as UTF-8 whatever the locale: every call names its encoding, and a plain C locale works."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OFFICIAL = ROOT / "tests" / "data" / "clevr_official" / "CLEVR_v1.0"
SOURCES = [path for folder in ("nsmodels", "pipeline") for path in sorted((ROOT / folder).rglob("*.py"))]
BINARY = ("Image", "archive", "os", "zipfile", "webbrowser")  # whose `open` opens no text
PROCESSES = ("run", "Popen", "check_output")


def unnamed(tree: ast.AST) -> Iterator[int]:
    """Lines of the calls that read or write text in the encoding of the locale."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or any(word.arg == "encoding" for word in node.keywords):
            continue
        owner = ast.unparse(node.func.value) if isinstance(node.func, ast.Attribute) else ""
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        mode = next(iter(node.args[0 if owner else 1 :]), None)
        is_binary = isinstance(mode, ast.Constant) and "b" in str(mode.value)
        if (
            (name in ("read_text", "write_text") and owner)
            or (name == "open" and owner not in BINARY and not is_binary)
            or (name in PROCESSES and any(word.arg in ("text", "universal_newlines") for word in node.keywords))
        ):
            yield node.lineno


@pytest.mark.parametrize("line", ["path.read_text()", "open('x')", "p.open('w')", "subprocess.run([], text=True)"])
def test_the_search_finds_calls_without_an_encoding(line: str) -> None:
    assert list(unnamed(ast.parse(line))) == [1]


def test_every_text_file_is_opened_with_an_encoding() -> None:
    found = [f"{path.relative_to(ROOT)}:{line}" for path in SOURCES for line in unnamed(ast.parse(path.read_bytes()))]
    assert found == []


def test_a_plain_locale_reads_and_prints_other_alphabets(tmp_path: Path) -> None:
    root = tmp_path / "data"
    shutil.copytree(OFFICIAL, root, copy_function=shutil.copyfile)
    path = root / "questions" / "CLEVR_val_questions.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["questions"][0].update(question="Wie viele größere Würfel?", answer="9")
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8-sig")
    plain = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": ""}
    command = [sys.executable, "-m", "nsmodels", "clevr", "execute", "--data", str(root), "--split", "val"]
    done = subprocess.run(command, env={**os.environ, **plain}, capture_output=True, check=False, cwd=ROOT)
    assert (done.returncode, b"Traceback" in done.stderr) == (1, False)
    assert b"val: 20 questions, 1 disagreements" in done.stdout
    assert rb"gr\xf6\xdfere" in done.stdout
