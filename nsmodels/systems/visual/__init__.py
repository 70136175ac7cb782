"""The neuro-symbolic visual reasoner: scenes read from images, questions answered by programs with proofs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from nsmodels.core.artifact import Part
from nsmodels.core.orders import Inputs, Order
from nsmodels.engine.config import EvaluationConfig
from nsmodels.engine.system import Stage, System
from nsmodels.engine.trial import Trial
from nsmodels.evaluation.sealing import EvaluationResult
from nsmodels.systems.visual.config import (
    CODE_VERSION,
    EVALUATION_VERSION,
    METRICS,
    PRESETS,
    SECTIONS,
    VisualConfig,
)
from nsmodels.systems.visual.evaluation.studies.space import SPACES

if TYPE_CHECKING:
    from nsmodels.engine.loop import Fit
    from nsmodels.evaluation.demonstration import Demonstration

PHASES = ("perception", "parser", "baseline")
REASONER = ("perception", "parser")


@final
class Visual(System[VisualConfig, EvaluationConfig]):
    """Perception and parser, and the CNN+LSTM baseline trained beside them."""

    name = "visual"
    stages = (Stage(PHASES, PRESETS, scored=REASONER),)
    datasets = ("clevr",)
    data_key = "clevr_mini"
    metrics = METRICS
    has_curriculum = True
    has_answers = True
    sections = SECTIONS
    spaces = SPACES
    code_version = CODE_VERSION
    evaluation_version = EVALUATION_VERSION

    def make_trial(self, phase: str, config: VisualConfig, inputs: Inputs) -> Trial:
        """Perception, parser or baseline on a CLEVR tree."""
        from nsmodels.systems.visual.phases import make_trial

        return make_trial(phase, config, inputs.data)

    def load(self, folder: Path, device: str = "auto") -> Any:
        """The `VisualReasoner` of a checkpoint folder, or the `ExportedReasoner` of one that was made by export."""
        from nsmodels.systems.visual.answering.exported import ExportedReasoner, is_exported

        if is_exported(folder):
            return ExportedReasoner.load(folder)
        from nsmodels.systems.visual.model import VisualReasoner

        return VisualReasoner.load(folder, device)

    def load_network(self, path: Path, device: str = "auto") -> Any:
        """The network in one checkpoint file: `Perception`, `Parser` or the classifier of the baseline."""
        from nsmodels.systems.visual.phases import load_network

        return load_network(path, device)

    def export(self, model: Any, path: Path) -> Path:
        """Write the perception of a `VisualReasoner` as an ONNX graph."""
        from nsmodels.systems.visual.perception.export import export

        return export(model.perception, path)

    def score(self, order: Order[EvaluationConfig]) -> EvaluationResult:
        """Four rows, priors, calibration, latency and example proofs."""
        from nsmodels.systems.visual.evaluate import score

        return score(order)

    def check_networks(self, config: VisualConfig) -> None:
        """The backbone: its name, image size, weights and memory."""
        from nsmodels.systems.visual.phases import check_config

        check_config(config)

    def check(self, order: Order[VisualConfig]) -> None:
        """Both splits are valid as a whole: scenes, programs, answers, images."""
        from nsmodels.datasets.clevr.files.format import training_splits
        from nsmodels.datasets.clevr.validation import require_valid

        config = order.config
        require_valid(order.data, training_splits(order.data, config.train_split, config.val_split))

    def enabled(self, stage: Stage, config: VisualConfig) -> tuple[str, ...]:
        """The reasoner, and the baseline unless it is switched off."""
        return PHASES if config.baseline.is_enabled else REASONER

    def after_phase(self, phase: str, fit: Fit, order: Order[VisualConfig], part: Part) -> dict[str, Any]:
        """Calibrate the presence of objects once perception is trained."""
        from nsmodels.systems.visual.train import calibrate

        if phase == "perception":
            calibrate(order, part)
        return {}

    def after_training(self, order: Order[VisualConfig], part: Part) -> dict[str, Any]:
        """The size of the training data; writes the answers that they make one expect, and the exported form."""
        from nsmodels.systems.visual.train import export, record_training_data

        if order.config.has_export:
            export(part)
        return record_training_data(order, part)

    def demonstrate(self, model: Any, data: Path, num: int, seed: int = 0) -> Demonstration:
        """Questions about validation images, with proofs, and what they become without a fact."""
        from nsmodels.systems.visual.answering.demonstration import demonstrate

        return demonstrate(model, data, num, seed)


SYSTEM = Visual()
