"""Checks of the clips: each function returns the faults it finds, one line each; an empty list is a pass."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nsmodels.core import artifact
from nsmodels.core.errors import InputError
from nsmodels.datasets.impacts.config import CONFOUNDED, MATERIALS, NOVEL, SHAPES, ImpactsConfig
from nsmodels.formats.clips import files, probes
from nsmodels.formats.clips.names import AFFORDANCES, MODALITIES, PLACEBO, PROPERTIES, VARIABLES
from nsmodels.formats.clips.tables import Clips

ROWS = 1_000  # read at a time
RUNG = 200  # clips of each split whose sound is compared with the formulas
SAMPLE = 8  # clips of each split that are simulated again
MECHANICS_SAMPLE = 16  # clips of each split whose mechanics is checked
SLACK = 0.03
NUM_SIGMAS = 4
CLEAR = 0.3  # difference of the logarithms of two forces from which on one is surely the larger
SHOWN, HIDDEN = 0.5, 0.7  # a property is shown from this correlation on, and hidden below the other
SHARED = ("states", "properties", "affordances", "outcomes", "events")  # of clips and twins


def schema(folder: Path) -> list[str]:
    """Arrays have the shapes of the format, finite values, and zeros where a modality is not observed."""
    found = []
    for split in files.splits(folder):
        try:
            clips = files.read(folder, split)
        except InputError as error:
            found.append(str(error))
            continue
        found += [f"{split}: {line}" for line in _faults(clips) + _faults_of_twins(folder, split, clips)]
    return found


def splits_are_disjoint(folder: Path) -> list[str]:
    """No object and no recording is in two splits; the combinations of `novel` are in no other split."""
    found, objects, recordings = [], {}, {}
    for split, clips in _all(folder):
        owners = [(number, objects.setdefault(number, split)) for number in set(_column(clips, "object").tolist())]
        found += [f"{split}: object {number} is also in {other}" for number, other in owners if other != split]
        for name, mark in zip(clips.ids.tolist(), _marks(clips), strict=True):
            other, twin = recordings.setdefault(mark, (split, name))
            if other != split:
                found.append(f"{split}: {name} is the same recording as {twin} of {other}")
        found += [f"{split}: {line}" for line in _combinations(split, clips)]
    return found


def confounded_in_training_only(folder: Path) -> list[str]:
    """Hue and density of the objects are correlated as configured in train and val, and not in test and novel.

    Hues that would lie outside of [0, 1] are clipped, and the held-out combinations change the mixture of materials:
    correlations are within `SLACK` of the configured one, and sampling adds its error.
    """
    found = []
    for split, clips in _simulated(folder):
        wanted = _config(folder).confounding if split in CONFOUNDED else 0.0
        _, first = np.unique(clips.columns["object"], return_index=True)
        if len(first) < 5:
            continue
        r = np.corrcoef(clips.columns["hue"][first], np.log(clips.columns["density"][first]))[0, 1]
        # Fisher: the inverse hyperbolic tangent of a correlation has the variance 1 / (n - 3).
        slack = SLACK / (1 - wanted**2) if wanted else 0.0
        if abs(np.arctanh(r) - np.arctanh(wanted)) > slack + NUM_SIGMAS / np.sqrt(len(first) - 3):
            found.append(f"{split}: colour and density have the correlation {r:.2f}; expected {wanted:.2f}")
    return found


def clips_are_reproducible(folder: Path) -> list[str]:
    """On a sample, what the seed gives again is what the files hold, in every byte."""
    from nsmodels.datasets.impacts.generation import simulated

    found = []
    for split, clips in _simulated(folder):
        again, _ = simulated(_config(folder), split, _sample(clips))
        for name in files.DTYPES:
            values, expected = getattr(clips, name)[_sample(clips)], getattr(again, name)
            if not np.array_equal(values, expected, equal_nan=name == "outcomes"):
                found.append(f"{split}: {name} of a sample of {len(expected)} clips differ from what the seed gives")
    return found


def affordances_are_simulated(folder: Path) -> list[str]:
    """On a sample, simulation tests decide every affordance as it is recorded, and pushing agrees with the formula."""
    from nsmodels.datasets.impacts.generation import scenes_of
    from nsmodels.datasets.impacts.labels.affordances import GRAVITY, PUSH_FORCE, affordances_of

    found = []
    for split, clips in _simulated(folder):
        assert clips.affordances is not None
        objects, recorded = scenes_of(_config(folder), split, _sample(clips)).objects, clips.affordances[_sample(clips)]
        wrong = np.argwhere(affordances_of(objects) != recorded)
        found += [
            f"{split}: object {objects.number[row]}: {AFFORDANCES[k]} is not what a test gives" for row, k in wrong
        ]
        # An object slides where the force is more than the friction times its weight; a ball rolls before that.
        needed = np.where(objects.shape == SHAPES.index("ball"), 0, objects.friction * objects.mass * GRAVITY)
        is_clear = np.abs(np.log(np.maximum(needed, 1e-9) / PUSH_FORCE)) > CLEAR
        wrong = np.flatnonzero(is_clear & (recorded[:, AFFORDANCES.index("pushable")] != (needed < PUSH_FORCE)))
        found += [f"{split}: object {objects.number[row]} takes {needed[row]:.1f} N to push" for row in wrong]
    return found


def mechanics_is_sound(folder: Path) -> list[str]:
    """On a sample: energy grows by work only, momentum is that of the impulses, another integrator finds the same."""
    from nsmodels.datasets.impacts.generation import scenes_of
    from nsmodels.datasets.impacts.physics import verification
    from nsmodels.datasets.impacts.physics.simulation import simulate

    found = []
    for split, clips in _simulated(folder):
        scenes = scenes_of(_config(folder), split, np.arange(min(len(clips), MECHANICS_SAMPLE)))
        motion = simulate(scenes)
        faults = verification.energy_grows(scenes, motion) + verification.momentum_is_unbalanced(scenes, motion)
        faults += verification.collisions_are_unbalanced(scenes) + verification.integrators_differ(scenes)
        found += [f"{split}: {line}" for line in faults]
    return found


def sound_has_the_frequencies_of_the_modes(folder: Path) -> list[str]:
    """Plates and bars of a sample that ring after the tap do so at a frequency of the closed formulas."""
    from nsmodels.datasets.impacts.generation import scenes_of
    from nsmodels.datasets.impacts.sound.verification import frequency_faults

    found = []
    for split, clips in _simulated(folder):
        assert clips.audio is not None
        rows = np.arange(min(len(clips), RUNG))
        found += [
            f"{split}: {line}" for line in frequency_faults(scenes_of(_config(folder), split, rows), clips.audio[rows])
        ]
    return found


def placebo_changes_nothing(folder: Path) -> list[str]:
    """A twin with a different colour has the states, properties, affordances, outcomes and events of its clip."""
    found = []
    for split, clips in _simulated(folder):
        if (twins := files.read_twins(folder, split)) is None:
            continue
        rows = np.flatnonzero(twins.variable == VARIABLES.index(PLACEBO))
        for name in SHARED:
            before, after = getattr(clips, name)[twins.base[rows]], getattr(twins, name)[rows]
            if not np.array_equal(before, after, equal_nan=name == "outcomes"):
                found.append(f"{split}: {name} change with the colour")
    return found


def properties_are_identifiable(folder: Path) -> list[str]:
    """A probe reads each property from at least one modality, and not from all of them."""
    matrix = probes.identifiability(folder)
    if matrix is None:
        return []
    found = []
    for name, row in zip(PROPERTIES, matrix, strict=True):
        best, worst = MODALITIES[int(row.argmax())], MODALITIES[int(row.argmin())]
        if row.max() < SHOWN:
            found.append(f"{name}: no modality shows it, {best} at best with r = {row.max():.2f}; expected {SHOWN}")
        if row.min() > HIDDEN:
            found.append(f"{name}: every modality shows it, {worst} with r = {row.min():.2f}; expected below {HIDDEN}")
    return found


def about(folder: Path) -> str:
    """Which modality shows which property: correlations of probes on the test split, as text."""
    matrix = probes.identifiability(folder)
    title = "what a probe reads from each modality (correlation on the split test, fitted on train)"
    return "" if matrix is None else "\n".join(["", title, *probes.table(matrix), ""])


def _faults(clips: Clips) -> list[str]:
    found = []
    if len(np.unique(clips.ids)) < len(clips):
        found.append("a name occurs twice")
    for column, (modality, name) in enumerate(zip(MODALITIES, ("video", "audio", "proprio"), strict=True)):
        for first in range(0, len(clips), ROWS):
            part, seen = slice(first, first + ROWS), clips.observed[first : first + ROWS, column]
            values = getattr(clips, name)
            if values is not None and np.any(values[part][~seen]):
                found.append(f"{name}: a clip without {modality} has values that are not 0")
    for name in ("audio", "proprio", "actions", "states", "properties", "outcomes"):
        values = getattr(clips, name)
        parts = [] if values is None else [values[first : first + ROWS] for first in range(0, len(clips), ROWS)]
        if any(np.isinf(part).any() if name == "outcomes" else not np.isfinite(part).all() for part in parts):
            found.append(f"{name}: has values that are no numbers")
    if clips.properties is not None and not ((clips.properties >= 0) & (clips.properties <= 1)).all():
        found.append("properties: has values outside of [0, 1]")
    for name, words in clips.words.items():
        if not ((clips.columns[name] >= 0) & (clips.columns[name] < len(words))).all():
            found.append(f"column {name}: has values without a name; expected 0 to {len(words) - 1}")
    return found


def _faults_of_twins(folder: Path, split: str, clips: Clips) -> list[str]:
    twins = files.read_twins(folder, split)
    if twins is None or not len(twins):
        return []
    found = []
    if not ((twins.base >= 0) & (twins.base < len(clips))).all():
        found.append("twins: a clip that they change does not exist")
    if not ((twins.variable >= 0) & (twins.variable < len(VARIABLES))).all():
        found.append("twins: a variable without a name")
    shapes = [(name, getattr(twins, name).shape, (len(twins), *getattr(clips, name).shape[1:])) for name in SHARED]
    found += [f"twins: {name} have the shape {shape}; expected {due}" for name, shape, due in shapes if shape != due]
    if not np.isfinite(twins.states).all() or not np.isfinite(twins.change).all():
        found.append("twins: values that are no numbers")
    return found


def _combinations(split: str, clips: Clips) -> list[str]:
    if not {"shape", "material"} <= clips.columns.keys():
        return []
    pairs = np.unique(np.stack([clips.columns["shape"], clips.columns["material"]], axis=1), axis=0).tolist()
    names = [(SHAPES[shape], MATERIALS[material]) for shape, material in pairs]
    wrong = [pair for pair in names if (pair in NOVEL) != (split == "novel")]
    return [
        f"{material} as a {shape} is {'' if split == 'novel' else 'not '}for other splits" for shape, material in wrong
    ]


def _marks(clips: Clips) -> list[bytes]:
    """A hash of what was recorded of each clip."""
    arrays = [array for array in (clips.audio, clips.video, clips.proprio) if array is not None]
    # The first of them that a clip has; a video is hashed by one picture.
    found = []
    for row in range(len(clips)):
        parts = [np.ascontiguousarray(array[row][:1] if array.ndim == 5 else array[row]).tobytes() for array in arrays]
        found.append(hashlib.blake2b(b"".join(parts), digest_size=16).digest())
    return found


def _column(clips: Clips, name: str) -> NDArray:
    return clips.columns.get(name, np.zeros(0, np.int64))


def _sample(clips: Clips) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, len(clips) - 1, SAMPLE).astype(np.int64))


def _config(folder: Path) -> ImpactsConfig:
    """The configuration of simulated clips."""
    values = {name: value for name, value in artifact.read_manifest(folder).config.items() if name != "fingerprints"}
    return ImpactsConfig.from_mapping(values, str(folder))


def _all(folder: Path) -> Iterator[tuple[str, Clips]]:
    return ((split, files.read(folder, split)) for split in files.splits(folder))


def _simulated(folder: Path) -> Iterator[tuple[str, Clips]]:
    """Every split of clips that were simulated here; none of clips that were read."""
    is_simulated = (folder / artifact.MANIFEST).is_file() and _config(folder).source == "synthetic"
    return _all(folder) if is_simulated else iter(())
