"""Questions about natural images: scenes of named objects read from photographs, questions answered with proofs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from nsmodels.core.artifact import Part
from nsmodels.core.orders import Inputs, Order
from nsmodels.engine.config import EvaluationConfig
from nsmodels.engine.system import Stage, System
from nsmodels.engine.trial import Trial
from nsmodels.evaluation.sealing import EvaluationResult
from nsmodels.systems.natural.config import (
    CODE_VERSION,
    EVALUATION_VERSION,
    METRICS,
    PRESETS,
    SECTIONS,
    NaturalConfig,
)

if TYPE_CHECKING:
    from nsmodels.engine.loop import Fit

PHASES = ("perception",)


@final
class Natural(System[NaturalConfig, EvaluationConfig]):
    """Perception of photographs."""

    name = "natural"
    stages = (Stage(PHASES, PRESETS, scored=PHASES),)
    datasets = ("gqa",)
    data_key = "gqa_mini"
    metrics = METRICS
    sections = SECTIONS
    code_version = CODE_VERSION
    evaluation_version = EVALUATION_VERSION

    def make_trial(self, phase: str, config: NaturalConfig, inputs: Inputs) -> Trial:
        """A phase on a GQA or VQA folder."""
        from nsmodels.systems.natural.phases import make_trial

        return make_trial(phase, config, inputs.data)

    def load(self, folder: Path, device: str = "auto") -> Any:
        """The calibrated `Perception` of a checkpoint folder."""
        from nsmodels.engine.runtime import resolve_device
        from nsmodels.systems.natural.perception.calibration import load_calibrated

        return load_calibrated(folder, resolve_device(device))

    def load_network(self, path: Path, device: str = "auto") -> Any:
        """The network in one checkpoint file."""
        from nsmodels.systems.natural.phases import load_network

        return load_network(path, device)

    def score(self, order: Order[EvaluationConfig]) -> EvaluationResult:
        """Objects of a split: found, named and described as they are, chance and the most frequent name beside them."""
        from nsmodels.systems.natural.evaluate import score

        return score(self.load(order.model, order.config.device), order)

    def check_networks(self, config: NaturalConfig) -> None:
        """The backbone: its name, image size, weights and memory."""
        from nsmodels.systems.natural.phases import check_config

        check_config(config)

    def after_phase(self, phase: str, fit: Fit, order: Order[NaturalConfig], part: Part) -> dict[str, Any]:
        """Calibrate the presence of objects once perception is trained."""
        from nsmodels.systems.natural.train import calibrate_perception

        return calibrate_perception(order, part) if phase == "perception" else {}


SYSTEM = Natural()
