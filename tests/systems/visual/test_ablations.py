"""Presets of the ablations of the visual reasoner."""

from __future__ import annotations

from pathlib import Path

import pytest

from nsmodels.studies.variant import FULL
from nsmodels.systems.visual.evaluation.studies.ablations import arm_of
from nsmodels.systems.visual.evaluation.studies.config import ABLATION_PRESETS


@pytest.mark.parametrize("preset", ABLATION_PRESETS)
def test_every_variant_of_a_preset_leaves_something_out(preset: str) -> None:
    arm = arm_of(ABLATION_PRESETS[preset](), {"clevr_mini": Path("clevr_mini")})
    full = arm.config_of(FULL, 0)
    assert arm.variants
    assert all(arm.config_of(name, 0) != full for name in arm.variants)
    counts = arm.counts()
    for name, variant in arm.variants.items():
        if variant.removes in counts[FULL]:
            assert counts[name][variant.removes] < counts[FULL][variant.removes]
