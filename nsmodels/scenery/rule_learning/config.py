"""Configuration of the study of rule learning and its presets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from pydantic import Field, model_validator

from nsmodels.core.config import Config
from nsmodels.logic.config import LearnConfig

CODE_VERSION = "2"
TARGETS = ["wet", "cold", "dangerous", "startled", "served", "busy", "rusting"]


class RuleStudyConfig(Config):
    """Rules planted over the scene graphs of a dataset, learnt from more scenes and from worse facts."""

    rules: str = Field(default="scenery", min_length=1, description="rules that are planted: shipped ones, or a file")
    targets: list[str] = Field(default=TARGETS, min_length=1, description="their labels of objects that are learnt")
    num_scenes: list[int] = Field(
        default=[100, 300, 1_000, 3_000], min_length=1, description="scenes to learn from; the largest for wrong facts"
    )
    wrong_shares: list[float] = Field(
        default=[0.0, 0.02, 0.05, 0.1, 0.2], description="share of the facts that perception gets wrong"
    )
    num_held_out: int = Field(default=1_000, ge=1, description="scenes to score on")
    dropped: float = Field(default=0.08, ge=0.0, lt=1.0, description="share of the labels that are missing")
    false: float = Field(default=0.003, ge=0.0, lt=1.0, description="share of the other objects with a false label")
    model: str = Field(
        default="", description="trained model of natural images that perceives facts: asset or folder; empty: none"
    )
    num_perceived: list[int] = Field(
        default=[100, 300, 1_000, 3_000],
        description="scenes whose facts the model perceives to learn from; fewer where there are fewer",
    )
    num_questions: int = Field(
        default=60, ge=0, description="questions that only rules answer: of each kind, per label; 0: none"
    )
    seeds: list[int] = Field(default=[0, 1, 2], min_length=1, description="of wrong labels and facts")
    learning: LearnConfig = LearnConfig()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for name in ("targets", "num_scenes", "wrong_shares", "num_perceived", "seeds"):
            values = getattr(self, name)
            if len(set(values)) < len(values):
                raise ValueError(f"{name}: expected each value once, got {values}")
        if min([*self.num_scenes, *self.num_perceived]) < 1 or min(self.seeds) < 0:
            raise ValueError("num_scenes, num_perceived, seeds: expected numbers from 1, 1 and 0 on")
        if not all(0 <= share < 1 for share in self.wrong_shares):
            raise ValueError(f"wrong_shares: expected shares from 0 to below 1, got {self.wrong_shares}")
        return self


def debug() -> RuleStudyConfig:
    """Seconds on one CPU core, to see that everything runs."""
    return RuleStudyConfig(
        targets=["served", "busy"],
        num_scenes=[10, 20],
        wrong_shares=[0.0, 0.1],
        num_perceived=[10],
        num_questions=4,
        num_held_out=20,
        seeds=[0],
    )


def quick() -> RuleStudyConfig:
    """Three seeds, four numbers of scenes and five shares of wrong facts: some minutes on one CPU core."""
    return RuleStudyConfig()


def paper() -> RuleStudyConfig:
    """Five seeds and up to 10,000 scenes."""
    return RuleStudyConfig(num_scenes=[100, 300, 1_000, 3_000, 10_000], seeds=[0, 1, 2, 3, 4])


PRESETS: dict[str, Callable[[], RuleStudyConfig]] = {"quick": quick, "debug": debug, "paper": paper}
