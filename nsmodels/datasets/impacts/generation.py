"""Simulated clips: drawn, simulated, seen, heard and felt in blocks, by processes that write into the same files.

Object and clip follow from the seed and their number alone: the number of processes, the size of the blocks and that of
the splits change nothing, and a smaller split is the beginning of a larger one. An interrupted simulation goes on with
the blocks that are not done, and gives the same files.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nsmodels.core import workers
from nsmodels.core.hardware import num_cores
from nsmodels.core.progress import counted
from nsmodels.datasets.impacts import blocks
from nsmodels.datasets.impacts.config import CONFOUNDED, MATERIALS, NOVEL, SHAPES, SPLITS, ImpactsConfig
from nsmodels.datasets.impacts.drawing.actions import draw_scenes
from nsmodels.datasets.impacts.drawing.objects import draw_objects
from nsmodels.datasets.impacts.drawing.twins import Changed, draw_twins
from nsmodels.datasets.impacts.labels.affordances import affordances_of
from nsmodels.datasets.impacts.labels.outcomes import outcomes_of, states_of
from nsmodels.datasets.impacts.labels.properties import properties_of
from nsmodels.datasets.impacts.physics.simulation import simulate
from nsmodels.datasets.impacts.physics.touch import actions_of, feel
from nsmodels.datasets.impacts.rendering.render import SIDE, render
from nsmodels.datasets.impacts.scenes import NUM_STEPS, OPENINGS, Objects, Scenes
from nsmodels.datasets.impacts.sound.synthesis import NUM_SAMPLES, SAMPLE_RATE, synthesize
from nsmodels.formats.clips import files
from nsmodels.formats.clips.names import (
    ACTION,
    AFFORDANCES,
    EVENTS,
    MODALITIES,
    OUTCOMES,
    PROPERTIES,
    PROPRIO,
    STATES,
    VARIABLES,
    VERBS,
)
from nsmodels.formats.clips.tables import Clips, Twins

BLOCK = 32  # clips that are simulated at a time
# A process takes a second or two to start; with fewer clips than this for each it costs more than it gives.
CLIPS_PER_PROCESS = 256
_SHIFT = 40  # bits of the number of an object or clip within its split
_COMBINATIONS = [(shape, material) for shape in SHAPES for material in MATERIALS]
OF_OBJECTS = ("mass", "friction", "stiffness", "restitution", "size")  # what the affordances of a twin depend on
WORDS = {
    "shape": SHAPES,
    "material": MATERIALS,
    "combination": tuple(f"{material} {shape}" for shape, material in _COMBINATIONS),
    "opening": OPENINGS,
    "verb": VERBS,
}
SHAPES_OF_ARRAYS = {
    "video": (NUM_STEPS, SIDE, SIDE, 3),
    "audio": (NUM_SAMPLES,),
    "proprio": (NUM_STEPS, len(PROPRIO)),
    "actions": (NUM_STEPS, len(ACTION)),
    "states": (NUM_STEPS, len(STATES)),
    "properties": (len(PROPERTIES),),
    "affordances": (len(AFFORDANCES),),
    "outcomes": (len(OUTCOMES),),
    "events": (len(EVENTS),),
}


def generate(config: ImpactsConfig, folder: Path) -> dict[str, Any]:
    """Write all splits; returns the number of clips and twins of each."""
    if not blocks.has_begun(folder):
        for split, num in config.sizes.items():
            files.create(folder, split, {name: (num, *shape) for name, shape in SHAPES_OF_ARRAYS.items()})
        blocks.begin(folder)
    jobs = [
        (config.model_dump(mode="json"), str(folder), split, first, min(first + BLOCK, num))
        for split, num in config.sizes.items()
        for first in range(0, num, BLOCK)
    ]
    total = sum(config.sizes.values())
    count = config.num_workers or min(num_cores(), -(-total // CLIPS_PER_PROCESS))
    parts: dict[str, list[tuple[Clips, Twins]]] = {split: [] for split in SPLITS}
    done = counted(workers.run(write_block, jobs, count), len(jobs), "simulating", "block", total > CLIPS_PER_PROCESS)
    for job, part in zip(jobs, done, strict=True):
        parts[job[2]].append(part)
    for split, found in parts.items():
        files.write_table(folder, split, _joined([clips for clips, _ in found]))
        files.write_twins(folder, split, _all_twins([twins for _, twins in found]))
    blocks.end(folder)
    return {
        "num_clips": {split: {"clips": num, **dict.fromkeys(MODALITIES, num)} for split, num in config.sizes.items()},
        "num_twins": {split: sum(len(twins) for _, twins in found) for split, found in parts.items()},
    }


def write_block(values: dict[str, Any], folder: str, split: str, first: int, last: int) -> tuple[Clips, Twins]:
    """Simulate the clips of these rows and write their arrays, unless done; returns names, columns, twins."""
    place = Path(folder)
    if (done := blocks.read(place, split, first)) is not None:
        return done
    clips, twins = simulated(ImpactsConfig.from_mapping(values), split, np.arange(first, last))
    for name in SHAPES_OF_ARRAYS:
        array = files.opened(place, split, name)
        array[first:last] = getattr(clips, name)
        array.flush()  # a block that is done stays done, whatever happens to the machine
    blocks.write(place, split, first, clips, twins)
    return Clips(clips.ids, clips.observed, columns=clips.columns), twins


def scenes_of(config: ImpactsConfig, split: str, rows: NDArray[np.int64]) -> Scenes:
    """The scenes of these clips of a split, int64 (n,)."""
    base = SPLITS.index(split) << _SHIFT
    index, place = np.unique(rows // config.clips_per_object, return_inverse=True)
    shape, material = _kinds(config.seed, split, index)
    confounding = config.confounding if split in CONFOUNDED else 0.0
    objects = draw_objects(base + index, shape, material, config.seed, confounding, config.painted_share)
    return draw_scenes(objects.take(place), base + rows, config.seed)


def simulated(config: ImpactsConfig, split: str, rows: NDArray[np.int64]) -> tuple[Clips, Twins]:
    """These clips of a split, int64 (n,), and their twins; `Twins.base` counts in the split."""
    scenes = scenes_of(config, split, rows)
    motion = simulate(scenes)
    outcomes, events = outcomes_of(scenes, motion)
    properties, affordances = known_of(scenes.objects)
    clips = Clips(
        ids=np.array([f"{split}-{row:07d}" for row in rows]),
        observed=np.ones((len(rows), len(MODALITIES)), bool),
        video=render(scenes, motion),
        audio=synthesize(scenes, motion),
        proprio=feel(scenes, motion),
        actions=actions_of(scenes),
        states=states_of(motion),
        properties=properties,
        affordances=affordances,
        outcomes=outcomes,
        events=events,
        columns=_columns(scenes),
        words=WORDS,
        sample_rate=SAMPLE_RATE,
    )
    changed = draw_twins(scenes, (SPLITS.index(split) << _SHIFT) + rows, config.twins_per_clip, config.seed)
    return clips, _twins(changed, rows, clips)


def known_of(objects: Objects) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Properties and affordances of objects, each object tested once."""
    _, first, place = np.unique(objects.number, return_index=True, return_inverse=True)
    once = objects.take(first)
    return properties_of(once)[place], affordances_of(once)[place]


def _twins(changed: Changed, rows: NDArray[np.int64], clips: Clips) -> Twins:
    """The changed scenes, simulated. What they afford is tested again where the object is a different one."""
    motion = simulate(changed.scenes)
    outcomes, events = outcomes_of(changed.scenes, motion)
    assert clips.affordances is not None
    affordances = clips.affordances[changed.base]
    is_other = np.flatnonzero(np.isin(changed.variable, [VARIABLES.index(name) for name in OF_OBJECTS]))
    affordances[is_other] = affordances_of(changed.scenes.objects.take(is_other))
    return Twins(
        base=rows[changed.base],
        variable=changed.variable,
        change=changed.change.astype(np.float32),
        before=changed.before.astype(np.float32),
        after=changed.after.astype(np.float32),
        states=states_of(motion),
        properties=properties_of(changed.scenes.objects),
        affordances=affordances,
        outcomes=outcomes,
        events=events,
    )


def _kinds(seed: int, split: str, index: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Shape and material of the objects with these numbers: every combination of the split once, then again."""
    wanted = [(pair in NOVEL) == (split == "novel") for pair in _COMBINATIONS]
    pairs = np.flatnonzero(wanted)
    turn, place = np.divmod(index, len(pairs))
    orders = {
        k: np.random.default_rng((seed, 3, SPLITS.index(split), k)).permutation(pairs) for k in set(turn.tolist())
    }
    chosen = np.array([orders[k][at] for k, at in zip(turn.tolist(), place.tolist(), strict=True)], np.int64)
    return np.divmod(chosen, len(MATERIALS))


def _columns(scenes: Scenes) -> dict[str, NDArray]:
    objects = scenes.objects
    whole = {
        "object": objects.number,
        "shape": objects.shape,
        "material": objects.material,
        "combination": objects.shape * len(MATERIALS) + objects.material,
        "opening": objects.opening,
        "painted": objects.painted,
        "verb": scenes.verb,
        "onset": scenes.onset,
        "target": scenes.target,
        "has_support": scenes.has_support,
        "has_neighbour": scenes.has_neighbour,
        "has_water": scenes.has_water,
    }
    real = ("hue", "mass", "density", "young", "friction", "restitution", "loss", "hardness", "temperature")
    return {name: values.astype(np.int64) for name, values in whole.items()} | {
        name: getattr(objects, name).astype(np.float32) for name in real
    }


def _joined(parts: list[Clips]) -> Clips:
    """Names and columns of all blocks."""
    columns = {name: np.concatenate([part.columns[name] for part in parts]) for name in parts[0].columns}
    ids, observed = (np.concatenate([getattr(part, name) for part in parts]) for name in ("ids", "observed"))
    return Clips(ids, observed, columns=columns, words=WORDS, sample_rate=SAMPLE_RATE)


def _all_twins(parts: list[Twins]) -> Twins:
    values = {each.name: np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(Twins)}
    return Twins(**values)
