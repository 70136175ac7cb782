"""Sealed artifacts that a plan finds, and what it has then."""

from pathlib import Path

from nsmodels.core import artifact, discover
from pipeline.publication.plan import plan


def seal(folder: Path) -> None:
    """An artifact of no special kind."""
    with artifact.build(folder, key=folder.name, maker="m", config={}, code_version="1") as part:
        (part.path / "file").write_text("x")


def trained(folder: Path, preset: str, seed: int = 0) -> None:
    """A training of the navigator."""
    config = discover.system("nav").stages[0].presets[preset]().with_values({"training.seed": seed})
    about = {"key": folder.name, "maker": "nsmodels.systems.nav", "kind": "training", "code_version": "1"}
    with artifact.build(folder, config=config.relevant(), **about) as part:
        (part.path / "file").write_text("x")


def made(folder: Path, inputs: tuple[str, ...] = (), **about) -> None:
    """An artifact beside its inputs, by their names."""
    given = {"key": folder.name, "maker": "m", "config": {}, "code_version": "1", **about}
    with artifact.build(folder, inputs={key: folder.parent / key for key in inputs}, **given) as part:
        (part.path / "file").write_text("x")


def keys_of(families, preset="quick", seeds=()):
    """Keys of everything that the plan has."""
    root = artifact.data_root()
    return [key for step in plan(root, seeds, families, preset) for key in step.keys]
