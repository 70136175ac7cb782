"""Facts that a trained model perceives in images, for rules: joined here, because rules do not see systems."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from nsmodels import loading
from nsmodels.core.artifact import Manifest
from nsmodels.core.errors import InputError
from nsmodels.core.orders import MODEL, Inputs, Order
from nsmodels.datasets.gqa.files.places import image_path
from nsmodels.datasets.gqa.vocabulary.building import read_vocabulary
from nsmodels.formats.scenes.perceived import PerceivedScene
from nsmodels.scenery.rule_learning.config import RuleStudyConfig
from nsmodels.scenery.rule_learning.seeing import Perceive
from nsmodels.scenery.rule_learning.study import study


def perceiver(model: str | Path, device: str = "auto") -> Callable[[Sequence[Path]], list[PerceivedScene]]:
    """What reads facts from image files by a trained model, a folder or the name of an asset.

    Raises InputError for a model that reads no facts.
    """
    loaded = loading.load(model, device=device)
    if not hasattr(loaded, "perceived"):
        raise InputError(f"{model}: reads no facts of named objects; give a model of natural images")
    return loaded.perceived


def perceiving(model: str | Path, data: Path) -> Perceive:
    """What a model reads from the images of scene graphs of a folder of GQA; see `perceiver`."""
    read = perceiver(model)
    return lambda graphs: read([image_path(data, graph.image) for graph in graphs])


def study_rules(order: Order[RuleStudyConfig]) -> Manifest:
    """The study of rule learning, with facts that the model of its configuration perceives where it names one."""
    words, named = read_vocabulary(order.data), order.config.model
    if not named:
        return study(order, words)
    place = loading.place_of(named, None, loading.MODEL)
    inputs = Inputs({**order.inputs.folders, place.name: place}, {**order.inputs.roles, place.name: MODEL})
    # loaded when it is needed: a study that is there already is kept
    return study(replace(order, inputs=inputs), words, lambda graphs: perceiving(place, order.data)(graphs))
