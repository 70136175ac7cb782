"""The ablations: the navigator without one part after the other, over seeds, on test maps and on larger ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from nsmodels.core.artifact import Manifest
from nsmodels.core.errors import InputError
from nsmodels.core.orders import DATA, Order
from nsmodels.datasets.mazes.drawing.symmetry import NUM_TRANSFORMS
from nsmodels.datasets.mazes.files.format import read_index, splits
from nsmodels.datasets.mazes.solving.labels import action_sets, label
from nsmodels.evaluation.outcomes import Outcomes, distinct
from nsmodels.studies.comparison import Counts
from nsmodels.studies.study import run_study
from nsmodels.studies.trials import Arm
from nsmodels.studies.variant import Variant
from nsmodels.systems.nav import SYSTEM
from nsmodels.systems.nav.config import NavConfig
from nsmodels.systems.nav.evaluate import TRANSFER
from nsmodels.systems.nav.evaluation.scorer import Problems, read_problems
from nsmodels.systems.nav.evaluation.scoring import Table, concatenate_tables, rows_of, score
from nsmodels.systems.nav.network.construction import load_navigator, make_navigator
from nsmodels.systems.nav.network.navigator import Navigator
from nsmodels.systems.nav.studies.variants import (
    BURNT,
    CELLS,
    COUNTING,
    LARGER_CELLS,
    LATENT,
    MAPS,
    NAMES,
    SEGMENTS,
    STEPS,
    TERMS,
    VIEWS,
    WAITS,
    AblationConfig,
    MapsConfig,
)

GUESSED = "guessed"  # column of a table
SIDE = 8  # of the map for which steps are counted
FAR = 2 * (SIDE - 1)  # from corner to corner of it


def ablate(order: Order[AblationConfig]) -> Manifest:
    """Train and score every variant over all seeds on the maps of an order, and seal the table.

    A stopped study resumes. Raises `InputError` for data without the splits that are scored, and as `run_study`.
    """
    return run_study(order, arms_for, SYSTEM.package, "ablations")


def arms_for(order: Order[AblationConfig]) -> list[Arm]:
    """The parts of the study, see `arms_of`."""
    (key,) = order.inputs.datasets
    return list(arms_of(order.config, key, order.data))


def arms_of(config: AblationConfig, key: str, data: Path) -> Iterator[Arm]:
    """A part of the study on the network that counts, and one on that of latents, where variants of it are chosen."""
    there = splits(data)
    if missing := [split for split in ("test", TRANSFER) if split not in there]:
        raise InputError(f"{data}: the study scores test maps and larger ones; it has no split '{missing[0]}'")
    name = data.name if key == DATA else key
    for kind, model, known, chosen in (
        ("counting", config.model, COUNTING, config.variants),
        ("latents", config.latent, LATENT, config.latent_variants),
    ):
        if chosen:
            yield _arm(config, f"{name}_{kind}", model, {key: data}, {each: known[each] for each in chosen})


def _arm(
    config: AblationConfig, name: str, model: NavConfig, data: Mapping[str, Path], chosen: dict[str, Variant]
) -> Arm:
    (folder,) = data.values()
    num_maps = len(read_index(folder, "train"))
    trained = make_navigator(model.model).trained_steps
    chosen = {each: replace(variant, also=(LARGER_CELLS,)) for each, variant in chosen.items()}
    if "longer" in chosen:
        chosen["longer"] = replace(chosen["longer"], evaluation={"max_steps": trained})
    scored = {"num_maps": config.num_maps, "largest_side": config.largest_side, "device": model.training.device}

    def count(own: NavConfig, how: MapsConfig) -> Counts:
        return counts_of(own, how, num_maps)

    return Arm(
        name=name,
        system=SYSTEM,
        config=NavConfig.model_validate(model.model_dump()),
        evaluation=MapsConfig().with_values(scored),
        data=data,
        variants=chosen,
        score=score_maps,
        count=count,
    )


# --- scores ----------------------------------------------------------------------------------------------------------


def score_maps(order: Order[MapsConfig]) -> list[Outcomes]:
    """Share of cells with an optimal action, success, length of paths on test maps; the former two on larger ones."""
    how, navigator = order.config, load_navigator(order.model, order.config.device)
    found: list[Outcomes] = []
    for split, prefix in (("test", ""), (TRANSFER, "larger_")):
        problems = [_first(each, how) for each in read_problems(order.data, split)]
        taken = [each for each in problems if _is_scored(each, split, how, navigator)]
        if not taken:
            raise InputError(f"{order.data}: no map of split '{split}' is scored; set largest_side to more")
        found += _outcomes(taken, split, prefix, navigator, how.max_steps or None)
    return found


def _first(problems: Problems, how: MapsConfig) -> Problems:
    rows = slice(0, how.num_maps or len(problems.maps))
    return Problems(problems.maps[rows], {name: column[rows] for name, column in problems.facts.items()})


def _is_scored(problems: Problems, split: str, how: MapsConfig, navigator: Navigator) -> bool:
    shape = problems.maps.shape
    is_small = split != TRANSFER or not how.largest_side or max(shape) <= how.largest_side
    return is_small and navigator.accepts(shape)


def _outcomes(
    problems: list[Problems], split: str, prefix: str, navigator: Navigator, max_steps: int | None
) -> list[Outcomes]:
    tables = [_table(part, navigator, max_steps) for each in problems for part in each.parts()]
    table = concatenate_tables(tables)
    sizes, marks = (np.concatenate([each.facts[name] for each in problems]) for name in ("size", "mark"))
    names = np.array(distinct(f"{split}/{size}/{mark}" for size, mark in zip(sizes, marks, strict=True)))
    has_cells = table["cells"] > 0  # a goal without any cell from which it can be reached
    table, names, marks = rows_of(table, has_cells), names[has_cells], marks[has_cells]
    scores = {CELLS: table["right"] / table["cells"], "success": table["success"], "spl": table["spl"]}
    levels = {CELLS: float((table[GUESSED] / table["cells"]).mean())}
    return [
        Outcomes(f"{prefix}{name}", split, names.tolist(), marks.tolist(), each, chance=levels.get(name))
        for name, each in scores.items()
        if f"{prefix}{name}" in NAMES
    ]


def _table(part: Problems, navigator: Navigator, max_steps: int | None) -> Table:
    maps = part.maps[:]
    labels = label(maps)
    is_optimal = action_sets(labels.optimal, maps.connectivity)
    guessed = is_optimal.sum((1, 2, 3)) / is_optimal.shape[1]  # cells with an optimal action where each is as likely
    return score(navigator.policy(maps, max_steps).actions, maps, labels) | {GUESSED: guessed}


# --- what a variant lacks --------------------------------------------------------------------------------------------


def counts_of(config: NavConfig, how: MapsConfig, num_maps: int) -> Counts:
    """How much of everything a variant has; `num_maps`: in training."""
    drawn = min(config.data.max_maps or num_maps, num_maps)
    return {
        STEPS: num_steps(config, how),
        SEGMENTS: config.model.num_segments,
        TERMS: len(terms_of(config)),
        VIEWS: NUM_TRANSFORMS if config.data.augment else 1,
        MAPS: drawn * (config.training.epochs if config.data.fresh_maps else 1),
        WAITS: num_waits(config),
        BURNT: config.objective.max_burn_in,
    }


def num_steps(config: NavConfig, how: MapsConfig) -> int:
    """Steps of the recursion on a map of `SIDE` x `SIDE`, at most."""
    navigator = make_navigator(config.model)
    limit, each = navigator.default_steps(SIDE, SIDE), navigator.steps_per_segment
    return -(-min(limit, how.max_steps or limit) // each) * each


def terms_of(config: NavConfig) -> list[str]:
    """Terms of the loss that reach the network."""
    weights = {name: getattr(config.objective, f"{name}_weight") for name in ("cost", "reach", "halting")}
    return ["actions", *(name for name, weight in weights.items() if weight)]


def num_waits(config: NavConfig) -> int:
    """Segments of training in which a cell at a distance of `FAR` is not yet asked for its actions."""
    navigator = make_navigator(config.model)
    if navigator.is_counting or not navigator.reach or not config.objective.horizon:
        return 0
    carried = np.arange(1, config.model.num_segments + 1) * navigator.steps_per_segment * navigator.reach
    return int((config.objective.horizon * carried < FAR).sum())
