"""Stand-ins for what the documents call the reader's own: files, a group's disk, a web server, a hub.

Files that a page lists ("`rain.rules`:" before a block) are written as listed. Those that belong to data made by an
earlier command are made of these data, before the first command that names them.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Self

from tests.core.server import LocalServer
from tests.sharing.hub import Hub

LISTING = re.compile(r"^`([\w-]+\.(?:rules|json|ya?ml))`[^\n`]*:\n\n```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# In the form of the document that `--config` also takes.
TRAINING_CONFIG = """
training: {batch_size: 16, learning_rate: 3e-4, weight_decay: 1e-4, warmup_steps: 10, max_steps: 20, dynamics_epochs: 2}
data: {num_workers: 2, prefetch_factor: 2}
logging: {use_wandb: false, log_interval: 100, save_interval: 1000}
"""


def place_files(folder: Path, pages: Iterable[Path]) -> None:
    """The files that need no data: images, maps, questions, configurations, listings of the pages."""
    image = next((folder / "tests/data/clevr_official").rglob("*.png"))
    for name in ("image.png", "a.png", "b.png"):
        shutil.copy(image, folder / name)
    shutil.copytree(folder / "tests/data/movingai", folder / "movingai")
    arena = next((folder / "movingai").rglob("*.map"))
    shutil.copy(arena, folder / "arena.map")
    shutil.copy(f"{arena}.scen", folder / "arena.map.scen")
    listed = {name: text for page in pages for name, text in LISTING.findall(page.read_text(encoding="utf-8"))}
    texts = {"more.txt": "How many cubes are there?\n", "training_config.yaml": TRAINING_CONFIG, **listed}
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


def place_files_of(command: str, folder: Path) -> None:
    """The files named in a command that are made of data of earlier commands."""
    for name, make in MADE.items():
        if re.search(rf"(^|\s){re.escape(name)}(\s|$)", command) and not (folder / name).exists():
            make(folder, folder / name)


def _predictions(folder: Path, path: Path) -> None:
    annotated = json.loads((folder / "my_vqa/v2_mscoco_val2014_annotations.json").read_text(encoding="utf-8"))
    answers = [{"question_id": one["question_id"], "answer": "yes"} for one in annotated["annotations"]]
    path.write_text(json.dumps(answers), encoding="utf-8")


def _copied(pattern: str) -> Callable[[Path, Path], None]:
    def copy(folder: Path, path: Path) -> None:
        shutil.copy(next(folder.glob(pattern)), path)

    return copy


def _graph(folder: Path, path: Path) -> None:
    shown = json.loads((folder / "twins.json").read_text(encoding="utf-8"))["graphs"]
    path.write_text(json.dumps({name: value for name, value in shown[0].items() if name != "twin"}), encoding="utf-8")


MADE: dict[str, Callable[[Path, Path], None]] = {
    "results.json": _predictions,
    "A.json": _copied("my_vqa/v2_mscoco_val2014_annotations.json"),
    "Q.json": _copied("my_vqa/v2_OpenEnded_mscoco_val2014_questions.json"),
    "photo.jpg": _copied("data/gqa_mini/images/*.jpg"),
    "mine.json": _graph,
}


class Surroundings(AbstractContextManager):
    """A group's disk, a web server that serves it, and a hub; `words` are theirs by those in the documents."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.hub = folder, Hub()
        folder.mkdir()
        self.web = LocalServer(partial(_Files, directory=str(folder)))
        self.words = {
            "/mnt/group": str(folder),
            "https://example.org": self.web.url(),
            "OWNER": "me",
            "@REVISION": "@main",
        }
        self.environment = {"HF_ENDPOINT": self.hub.url(), "HF_TOKEN": "hf_token_of_a_test"}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._open.enter_context(self.web)
        self._open.enter_context(self.hub)
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()


class _Files(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass
