"""Questions about natural images: scenes of named objects read from photographs, questions answered with proofs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, final, get_args

from nsmodels.core.artifact import Part
from nsmodels.core.orders import Inputs, Order
from nsmodels.engine.system import Stage, System
from nsmodels.engine.trial import Trial
from nsmodels.evaluation.sealing import EvaluationResult
from nsmodels.systems.natural.config import (
    CODE_VERSION,
    EVALUATION_VERSION,
    METRICS,
    SECTIONS,
    Dataset,
    NaturalConfig,
    NaturalEvaluation,
)
from nsmodels.systems.natural.evaluation.studies.space import SPACES
from nsmodels.systems.natural.folders import WANTED
from nsmodels.systems.natural.presets import EVALUATION_PRESETS, PRESETS, presets_of

if TYPE_CHECKING:
    from nsmodels.engine.loop import Fit
    from nsmodels.evaluation.demonstration import Demonstration

REASONERS = {
    "gqa": ("perception", "parser"),
    "vqa": ("perception", "answers"),
    "clevr": ("perception", "clevr_parser"),
}
BASELINES = {
    "gqa": ("blind", "cnn_lstm"),
    "vqa": ("vqa_blind", "vqa_cnn_lstm"),
    "clevr": ("clevr_blind", "clevr_cnn_lstm"),
}
SCORED = ("perception", "parser", "clevr_parser", "answers")
PHASES = (*SCORED, *BASELINES["gqa"], *BASELINES["vqa"], *BASELINES["clevr"])


@final
class Natural(System[NaturalConfig, NaturalEvaluation]):
    """Perception and parser, and the baselines trained beside them."""

    name = "natural"
    stages = (Stage(PHASES, PRESETS, scored=SCORED),)
    datasets = ("gqa", "vqa", "clevr")
    data_key = "gqa_mini"
    metrics = METRICS
    has_curriculum = True
    has_answers = True
    sections = SECTIONS
    settings: ClassVar = {"vqa": {"dataset": "vqa"}, "clevr": {"dataset": "clevr"}}
    later_phases = ("answers",)
    evaluation_presets = EVALUATION_PRESETS
    spaces = SPACES
    code_version = CODE_VERSION
    evaluation_version = EVALUATION_VERSION

    def make_trial(self, phase: str, config: NaturalConfig, inputs: Inputs) -> Trial:
        """A phase on the folders of what is learnt."""
        from nsmodels.systems.natural.phases import make_trial

        return make_trial(phase, config, inputs)

    def presets_for(
        self, stage: Stage, values: Mapping[str, Any], data: Collection[str]
    ) -> Mapping[str, Callable[[], Any]] | None:
        """Those for what is learnt, whatever the keys of its data."""
        return next((presets_of(dataset) for dataset in get_args(Dataset) if dataset == values.get("dataset")), None)

    def load(self, folder: Path, device: str = "auto") -> Any:
        """What answers by a checkpoint folder: a `Reasoner`, or the `Respondent` of one that has learnt VQA."""
        from nsmodels.systems.natural.answering.loading import load

        return load(folder, device)

    def load_network(self, path: Path, device: str = "auto") -> Any:
        """The network in one checkpoint file."""
        from nsmodels.systems.natural.phases import load_network

        return load_network(path, device)

    def score(self, order: Order[NaturalEvaluation]) -> EvaluationResult:
        """Four rows, baselines, official metrics, calibration, objects, latency and example proofs."""
        from nsmodels.systems.natural.evaluate import score

        return score(order)

    def check_networks(self, config: NaturalConfig) -> None:
        """The backbone: its name, image size, weights and memory."""
        from nsmodels.systems.natural.phases import check_config

        check_config(config)

    def check(self, order: Order[NaturalConfig]) -> None:
        """Folders of what is to be learnt, and no others."""
        from nsmodels.systems.natural.folders import folders_of

        folders_of(order.config.dataset, order.inputs.datasets.values())

    def enabled(self, stage: Stage, config: NaturalConfig) -> tuple[str, ...]:
        """The reasoner of what is learnt, and its baselines unless they are switched off."""
        kinds = WANTED[config.dataset]
        found = {phase for kind in kinds for phase in REASONERS[kind]}
        found |= {phase for kind in kinds for phase in BASELINES[kind] if config.baseline.is_enabled}
        return tuple(phase for phase in PHASES if phase in found)

    def after_training(self, order: Order[NaturalConfig], part: Part) -> dict[str, Any]:
        """The number of training questions; writes the answers that they make one expect."""
        from nsmodels.systems.natural.train import record_training_questions

        return record_training_questions(order, part)

    def after_phase(self, phase: str, fit: Fit, order: Order[NaturalConfig], part: Part) -> dict[str, Any]:
        """Calibrate the presence of objects once perception is trained."""
        from nsmodels.systems.natural.train import calibrate_perception

        return calibrate_perception(order, part) if phase == "perception" else {}

    def demonstrate(self, model: Any, data: Path, num: int, seed: int = 0) -> Demonstration:
        """Questions about validation images, with proofs, and what they become without a fact."""
        from nsmodels.systems.natural.answering.demonstration import demonstrate

        return demonstrate(model, data, num, seed)


SYSTEM = Natural()
