"""Splits of the synthetic twin: scenes, their pictures, questions, answers and complementary pairs, in chunks."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from nsmodels.core import workers
from nsmodels.core.disk import atomically, write_atomic, writing
from nsmodels.core.progress import counted
from nsmodels.datasets.vqa.files.annotations import write_annotations
from nsmodels.datasets.vqa.files.instances import write_instances
from nsmodels.datasets.vqa.files.names import annotations_name, image_name, instances_name, pairs_name, questions_name
from nsmodels.datasets.vqa.files.questions import write_questions
from nsmodels.datasets.vqa.questions.asking import Asked, Asker, pairs_of, truths_as_json
from nsmodels.formats.scenes.graphs import SceneGraph, as_json
from nsmodels.scenery.composition import compose
from nsmodels.scenery.config import ScenerySettings
from nsmodels.scenery.drawing import encode
from nsmodels.scenery.edits import edits
from nsmodels.scenery.scenes import Scene
from nsmodels.scenery.words import vocabulary

CHUNK = 25  # scenes of one job
TRIES = 6  # edits of a scene that are tried for a pair
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recipe:
    """What the scenes and questions of a twin follow from.

    Attributes:
        seed: random seed.
        num_questions: questions per image.
        paired: share of images that are in complementary pairs.
        yes: share of yes among the answers yes and no.
        scenery: settings of the scenes.
    """

    seed: int
    num_questions: int
    paired: float
    yes: float
    scenery: ScenerySettings


@dataclass
class Made:
    """Images and questions that were made: graphs in the order of the images."""

    graphs: list[SceneGraph] = field(default_factory=list)
    asked: Asked = field(default_factory=Asked)

    def extend(self, other: Made) -> None:
        """Add further images."""
        self.graphs += other.graphs
        self.asked.extend(other.asked)


def write_twin_split(folder: Path, split: str, num: int, recipe: Recipe, count: int) -> Made:
    """Write `num` images of a split with all files of the release, by `count` processes, and their truth.

    The result does not depend on `count`. Raises `InputError` for a full disk.
    """
    (folder / image_name(split, 0)).parent.mkdir(parents=True, exist_ok=True)
    num_edited = round(num * recipe.paired / 2)
    num_scenes = num - num_edited
    made = Made()
    for each in _chunks(folder, split, range(num_scenes), num_edited, recipe, count):
        made.extend(each)
    # Scenes of which no edit changes an answer leave room for more.
    for each in _chunks(folder, split, range(num_scenes, num_scenes + num - len(made.graphs)), 0, recipe, count):
        made.extend(each)
    _write_files(folder, split, made)
    return made


def _chunks(folder: Path, split: str, numbers: range, num_edited: int, recipe: Recipe, count: int) -> Iterator[Made]:
    jobs = [
        (folder, split, numbers[start : start + CHUNK], num_edited, recipe) for start in range(0, len(numbers), CHUNK)
    ]
    return counted(workers.run(make_chunk, jobs, count), len(jobs), f"scenes of {split}", "chunk")


def make_chunk(folder: Path, split: str, numbers: range, num_edited: int, recipe: Recipe) -> Made:
    """Draw some scenes of a split and ask about them; those with a number below `num_edited` also after an edit."""
    asker, made = Asker(vocabulary(), recipe.num_questions, recipe.yes), Made()
    for number in numbers:
        scene = compose(recipe.seed, split, number, recipe.scenery)
        rng = Random(f"vqa/{recipe.seed}/{split}/{number}")
        scenes, asked = _asked(scene, asker, rng, recipe.seed, number < num_edited)
        for each in scenes:
            _write_image(folder / image_name(split, int(each.image)), each)
        made.extend(Made([each.graph for each in scenes], asked))
    return made


def _asked(scene: Scene, asker: Asker, rng: Random, seed: int, is_paired: bool) -> tuple[list[Scene], Asked]:
    """The scenes to draw, and the questions about them."""
    if is_paired:
        found = pairs_of(edits(scene, seed), asker, scene.graph, rng, TRIES)
        if found is not None:
            return [scene, found[0].scene], found[1]
    return [scene], asker.ask(scene.graph, rng)


def _write_image(path: Path, scene: Scene) -> None:
    with writing(path), atomically(path) as beside:
        beside.write_bytes(encode(scene))


def _write_files(folder: Path, split: str, made: Made) -> None:
    asked = made.asked
    write_questions(folder / questions_name(split), split, asked.questions)
    write_annotations(folder / annotations_name(split), split, asked.annotations)
    write_atomic(folder / pairs_name(split), json.dumps([list(pair) for pair in asked.pairs]))
    for name, document in (
        (graphs_name(split), {graph.image: as_json(graph) for graph in made.graphs}),
        (truths_name(split), truths_as_json(asked.truths)),
    ):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        write_atomic(path, json.dumps(document))
    (folder / instances_name(split)).parent.mkdir(exist_ok=True)
    write_instances(folder / instances_name(split), split, made.graphs, vocabulary())


def graphs_name(split: str) -> str:
    """Name of the file of a twin's scene graphs."""
    return f"sceneGraphs/{split}_sceneGraphs.json"


def truths_name(split: str) -> str:
    """Name of the file of a twin's queries and true answers."""
    return f"truths/{split}_truths.json"


def read_truths(folder: Path, split: str) -> dict[int, dict[str, Any]]:
    """Query and true answer by question id."""
    return {int(key): value for key, value in json.loads((folder / truths_name(split)).read_bytes()).items()}
