"""Files of scenes: JPEG images, written by worker processes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nsmodels.core.disk import atomically, writing
from nsmodels.core.progress import counted
from nsmodels.core.workers import run
from nsmodels.formats.scenes.graphs import SceneGraph
from nsmodels.scenery.composition import compose
from nsmodels.scenery.config import ScenerySettings
from nsmodels.scenery.drawing import encode
from nsmodels.scenery.scenes import Scene

CHUNK = 50  # scenes of one job


def write_split(
    folder: Path, split: str, num: int, settings: ScenerySettings, workers: int = 0, seed: int = 0
) -> list[SceneGraph]:
    """Write the first `num` scenes of a split as `<folder>/images/<id>.jpg`; their graphs, in order.

    The result does not depend on `workers`, the number of processes. Raises `InputError` for a full disk.
    """
    images = folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    jobs = [(images, split, seed, range(k, min(k + CHUNK, num)), settings) for k in range(0, num, CHUNK)]
    chunks = counted(run(_write_chunk, jobs, workers), len(jobs), f"images of {split}", "chunk")
    return [graph for chunk in chunks for graph in chunk]


def write_scenes(jobs: Sequence[tuple[Path, Scene]], workers: int = 0, label: str = "images") -> None:
    """Write scenes, edited ones for instance, as the JPEG files given with them; their folders must exist."""
    chunks = [(jobs[k : k + CHUNK],) for k in range(0, len(jobs), CHUNK)]
    for _ in counted(run(_write_given, chunks, workers), len(chunks), label, "chunk"):
        pass


def _write_chunk(images: Path, split: str, seed: int, indices: range, settings: ScenerySettings) -> list[SceneGraph]:
    scenes = [compose(seed, split, index, settings) for index in indices]
    _write_given([(images / f"{scene.image}.jpg", scene) for scene in scenes])
    return [scene.graph for scene in scenes]


def _write_given(jobs: Sequence[tuple[Path, Scene]]) -> None:
    for path, scene in jobs:
        with writing(path), atomically(path) as beside:
            beside.write_bytes(encode(scene))
