"""Configuration of the navigation data: kinds, sizes and number of maps, placement of start and goal. Torch-free."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from nsmodels.core.config import LARGEST_SEED, Config, above, conditional, runtime_field
from nsmodels.datasets.mazes.actions import DiagonalRule

CODE_VERSION = "2"
SPLITS = ("train", "val", "test", "transfer")
KINDS = ("obstacles", "maze", "braided", "rooms", "caves", "corridors", "wide")
SMALLEST_SIDE, LARGEST_SIDE = 4, 512
_SIZE_FIELDS = ("sides", "heights", "widths", "transfer_sides")
_LOCAL, _SYNTHETIC, _EIGHT = {"source": "local"}, {"source": "synthetic"}, {"connectivity": 8}


class MazesConfig(Config):
    """Grid maps with a start, a goal and the shortest path between them: generated, or from local files."""

    common = (
        "source",
        "local_path",
        "num_train",
        "num_val",
        "num_test",
        "num_transfer",
        "sides",
        "transfer_sides",
        "min_density",
        "max_density",
        "connectivity",
        "corner_rule",
        "max_cell_cost",
        "seed",
        "num_workers",
    )

    source: Literal["synthetic", "local"] = Field(
        default="synthetic",
        description="synthetic: drawn here; local: .map/.scen, Maze-Hard .csv or Neural A* .npz files you have",
    )
    local_path: str = conditional("", _LOCAL, description="source=local: a folder, or one .map, .csv or .npz file")
    local_split: Literal["auto", "test"] = conditional(
        "auto",
        _LOCAL,
        description="source=local: auto: the splits of the files (folders, tables or arrays train, val, test); else "
        "20 maps or more are split 8:1:1, fewer are all test; test: all maps are test",
    )
    problems_per_map: int = conditional(
        10,
        _LOCAL,
        ge=1,
        le=10_000,
        description="source=local: problems per map, spread evenly over those of its .scen, drawn where it has none",
    )
    val_share: float = conditional(
        0.1,
        _LOCAL | {"local_split": "auto"},
        ge=0,
        lt=1,
        description="source=local: share of the training maps that become validation maps, drawn by seed, where a "
        "folder has a split train and none called val",
    )
    num_train: int = conditional(
        5_000,
        _SYNTHETIC,
        ge=1,
        le=10_000_000,
        description="training maps; fewer are the first of more, with equal seed",
    )
    num_val: int = conditional(500, _SYNTHETIC, ge=1, le=1_000_000, description="validation maps")
    num_test: int = conditional(1_000, _SYNTHETIC, ge=1, le=1_000_000, description="test maps, of the sizes trained on")
    num_transfer: int = conditional(
        200,
        _SYNTHETIC | {"transfer_sides": above(0)},
        ge=0,
        le=100_000,
        description="test maps for each of transfer_sides",
    )
    sides: list[int] = conditional(
        [8], _SYNTHETIC | {"heights": ([],)}, min_length=1, description="rows and columns of square maps, equally often"
    )
    heights: list[int] = conditional(
        [], _SYNTHETIC, description="rows of rectangular maps, instead of sides; goes with widths"
    )
    widths: list[int] = conditional([], _SYNTHETIC, description="columns of rectangular maps, one for each of heights")
    transfer_sides: list[int] = conditional(
        [16, 30, 64], _SYNTHETIC | {"num_transfer": above(0)}, description="sides of the square maps of split transfer"
    )
    obstacles_weight: float = conditional(
        0.3, _SYNTHETIC, ge=0, description="relative number of random obstacle fields"
    )
    maze_weight: float = conditional(0.1, _SYNTHETIC, ge=0, description="relative number of perfect mazes (no loop)")
    braided_weight: float = conditional(0.1, _SYNTHETIC, ge=0, description="relative number of mazes with loops")
    rooms_weight: float = conditional(0.15, _SYNTHETIC, ge=0, description="relative number of rooms with doors")
    caves_weight: float = conditional(0.1, _SYNTHETIC, ge=0, description="relative number of caves")
    corridors_weight: float = conditional(
        0.15,
        _SYNTHETIC,
        ge=0,
        description="relative number of rooms joined by corridors one cell wide, and of corridors that fill the map",
    )
    wide_weight: float = conditional(
        0.1, _SYNTHETIC, ge=0, description="relative number of mazes with corridors 2 to 5 cells wide"
    )
    min_density: float = conditional(
        0.1,
        _SYNTHETIC | {"obstacles_weight": above(0)},
        ge=0,
        le=0.9,
        description="obstacle fields: smallest share of walls",
    )
    max_density: float = conditional(
        0.4,
        _SYNTHETIC | {"obstacles_weight": above(0)},
        ge=0,
        le=0.9,
        description="obstacle fields: largest share of walls",
    )
    braid: float = conditional(
        0.5,
        _SYNTHETIC | {"braided_weight": above(0)},
        ge=0,
        le=1,
        description="braided mazes: share of dead ends that are opened",
    )
    connectivity: Literal[4, 8] = Field(
        default=4, description="4: up, right, down, left; 8: diagonals too, see diagonal_cost and corner_rule"
    )
    diagonal_cost: Literal["sqrt2", "unit"] = conditional(
        "sqrt2",
        _EIGHT,
        description="connectivity=8: a diagonal move costs √2 times the cell entered (MovingAI), or unit: as much as a "
        "straight one (Neural A*)",
    )
    corner_rule: Literal["strict", "cut"] = conditional(
        "strict",
        _EIGHT,
        description="connectivity=8: strict: both cells that a diagonal passes between must be free (MovingAI); cut: "
        "they may be walls (Neural A*)",
    )
    max_cell_cost: int = conditional(
        1, _SYNTHETIC, ge=1, le=255, description="costs of entering a cell are uniform in 1 to this; 1: all cost 1"
    )
    placement: Literal["uniform", "far"] = Field(
        default="uniform", description="start: anywhere the goal can be reached from, or in the farthest quarter of it"
    )
    detour_share: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="share of problems whose start is drawn where walls force a detour, if the map has such a start; "
        "the others start anywhere",
    )
    seed: int = Field(default=0, ge=0, le=LARGEST_SEED, description="random seed of maps and problems")
    num_workers: int = runtime_field(
        0, ge=0, le=256, description="threads that solve maps, one shape or file each; 0: one per core"
    )

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """Rows and columns of the maps of train, val and test."""
        return list(zip(self.heights, self.widths, strict=True)) or [(side, side) for side in self.sides]

    @property
    def diagonals(self) -> DiagonalRule:
        """Cost and legality of diagonal moves."""
        return DiagonalRule(self.diagonal_cost, self.corner_rule)

    @property
    def kind_shares(self) -> list[float]:
        """Share of each of `KINDS` among the maps drawn."""
        weights = [float(getattr(self, f"{kind}_weight")) for kind in KINDS]
        return [weight / sum(weights) for weight in weights]

    @model_validator(mode="after")
    def _belongs_together(self) -> MazesConfig:
        if self.source == "local" and not self.local_path:
            raise ValueError("source=local needs local_path: a folder with .map, .csv or .npz files, or one such file")
        for name in _SIZE_FIELDS:
            if not all(SMALLEST_SIDE <= side <= LARGEST_SIDE for side in getattr(self, name)):
                raise ValueError(f"{name} must all be between {SMALLEST_SIDE} and {LARGEST_SIDE}")
        if len(self.heights) != len(self.widths):
            raise ValueError(f"heights has {len(self.heights)} values and widths {len(self.widths)}; give one for each")
        if self.min_density > self.max_density:
            raise ValueError(f"min_density {self.min_density} is above max_density {self.max_density}")
        if not any(getattr(self, f"{kind}_weight") for kind in KINDS):
            raise ValueError(f"all of {', '.join(f'{kind}_weight' for kind in KINDS)} are 0; raise at least one")
        return self


def debug() -> MazesConfig:
    """64 training, 24 validation, 24 test and 4 transfer maps of the smallest sizes; seconds, for tests."""
    return MazesConfig(num_train=64, num_val=24, num_test=24, num_transfer=4, transfer_sides=[12])


def quick() -> MazesConfig:
    """5,000 training maps of 8x8 (recipe 1 of the source document), 2 CPU-seconds; for models trained in minutes.

    1,000 test maps where the recipe has 500: near 99 % success they make the interval half a point.
    """
    return MazesConfig()


def base() -> MazesConfig:
    """50,000 training and 2,000 test maps, sides 8 to 16 mixed (recipe 2), 4 CPU-seconds; for a model on one GPU."""
    return MazesConfig(num_train=50_000, num_val=1_000, num_test=2_000, sides=list(range(8, 17)))


def paper() -> MazesConfig:
    """100,000 training and 5,000 test maps, sides 8 to 30 mixed (recipe 3), 6 CPU-seconds; for the full run."""
    sides = [*range(8, 17), *range(18, 31, 2)]
    return MazesConfig(num_train=100_000, num_val=2_000, num_test=5_000, sides=sides)


PRESETS = {"debug": debug, "quick": quick, "base": base, "paper": paper}
