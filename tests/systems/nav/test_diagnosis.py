"""Diagnosis of a training from its curves."""

from __future__ import annotations

import pytest

from nsmodels.systems.nav.training.diagnosis import diagnose


def curve(train: float, val: float, losses: list[float] | None = None) -> list[dict[str, float]]:
    losses = losses or [1.0, 0.8, 0.6, 0.5, 0.4]
    return [{"train/loss": loss, "train/accuracy": train, "val/accuracy": val} for loss in losses]


@pytest.mark.parametrize(
    ("history", "words"),
    [
        (curve(0.35, 0.34), ["accuracy stuck at chance (34.0%, chance 33.0%)"]),
        (curve(0.99, 0.72), ["overfitting (training 99.0%, validation 72.0%): --data.augment"]),
        (curve(0.70, 0.69), ["underfitting (training 70.0%, validation 69.0%): more --epochs"]),
        (curve(0.99, 0.99, [0.5, 0.9, 0.4, 0.9, 0.6]), ["the training loss rises as often as it falls: lower --lr"]),
        (curve(0.99, 0.99), []),
        (curve(0.35, 0.34)[:3], []),
    ],
)
def test_troubles_are_named_with_their_remedy(history: list[dict[str, float]], words: list[str]) -> None:
    found = diagnose(history, chance=0.33)
    assert len(found) == len(words)
    assert all(line.startswith(word) for line, word in zip(found, words, strict=True))
