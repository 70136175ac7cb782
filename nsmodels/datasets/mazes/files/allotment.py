"""Splits of problems from files: their own ones, else by map; no map is in two, turned and mirrored ones included."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nsmodels.datasets.mazes.config import MazesConfig
from nsmodels.datasets.mazes.files.readings import Reading

FEWEST_TO_SPLIT = 20
# Which split keeps a map that the files have in several.
PRECEDENCE = ("test", "val", "train")


def allot(readings: Sequence[Reading], config: MazesConfig, takes_share: bool) -> list[NDArray[np.object_]]:
    """Split of each problem of each reading, (n,); empty where its map is in a split that has precedence.

    Where files decide train and no val, `takes_share` moves a share of the training maps there.
    """
    group_of = _groups(readings)
    if config.local_split == "test":
        return [np.full(len(reading), "test", object) for reading in readings]
    if any(reading.split for reading in readings):
        return _own_splits(readings, group_of, config, takes_share)
    split_of = _by_map(sorted(set(group_of.values())))
    return [np.array([split_of[group_of[name]] for name in reading.mark], object) for reading in readings]


def _by_map(groups: list[str]) -> dict[str, str]:
    """Split of each map: 8:1:1 in their order, few maps are all test."""
    if len(groups) < FEWEST_TO_SPLIT:
        return dict.fromkeys(groups, "test")
    tenth = len(groups) // 10
    words = ["test"] * tenth + ["val"] * tenth + ["train"] * (len(groups) - 2 * tenth)
    return dict(zip(groups, words, strict=True))


def _own_splits(
    readings: Sequence[Reading], group_of: dict[str, str], config: MazesConfig, takes_share: bool
) -> list[NDArray[np.object_]]:
    owner: dict[str, str] = {}
    for split in PRECEDENCE:
        for reading in readings:
            if reading.split == split:
                for name in reading.mark:
                    owner.setdefault(group_of[name], split)
    shared = set[str]()
    if takes_share and "val" not in owner.values():
        shared = _share([group for group, split in owner.items() if split == "train"], config)
    allotted = []
    for reading in readings:
        groups = [group_of[name] for name in reading.mark]
        words = [reading.split if owner[group] == reading.split else "" for group in groups]
        words = ["val" if word and group in shared else word for word, group in zip(words, groups, strict=True)]
        allotted.append(np.array(words, object))
    return allotted


def _share(groups: list[str], config: MazesConfig) -> set[str]:
    """The training maps that become validation maps: `val_share` of them, at least one if there are two or more."""
    if len(groups) < 2 or not config.val_share:
        return set()
    order = np.random.default_rng([config.seed, len(groups)]).permutation(len(groups))
    num = min(len(groups) - 1, max(1, round(config.val_share * len(groups))))
    return {sorted(groups)[place] for place in order[:num]}


def _groups(readings: Sequence[Reading]) -> dict[str, str]:
    """The group of each map by its mark: maps of one file belong together, also with those that equal one of them."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        parent.setdefault(name, name)
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    first_of: dict[str, str] = {}
    for reading in readings:
        for name in dict.fromkeys(reading.mark.tolist()):
            one, other = root(first_of.setdefault(reading.name, name) if reading.is_one_map else name), root(name)
            parent[max(one, other)] = min(one, other)
    return {name: root(name) for name in parent}
