"""The toy: an encoder of points, then a classifier on top of the frozen encoder, two models that form a chain."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, final

from nsmodels.core.orders import Inputs, Order
from nsmodels.engine.config import EvaluationConfig
from nsmodels.engine.system import Stage, System
from nsmodels.engine.trial import Trial
from nsmodels.evaluation.sealing import EvaluationResult
from nsmodels.systems.toy.config import PRESETS, ToyConfig
from nsmodels.systems.toy.space import SPACES


@final
class Toy(System[ToyConfig, EvaluationConfig]):
    """Stage `encoder` reconstructs points; stage `classifier` starts from it and trains the head alone."""

    name = "toy"
    stages = (
        Stage(("encoder",), PRESETS, name="encoder"),
        Stage(("classifier",), PRESETS, name="classifier", starts_from="encoder", shares=("model",)),
    )
    datasets = ("dots",)
    data_key = "dots"
    metrics: ClassVar[Mapping[str, tuple[str, ...]]] = {"encoder": (), "classifier": ("accuracy",)}
    spaces = SPACES
    code_version = "1"
    evaluation_version = "1"

    def make_trial(self, phase: str, config: ToyConfig, inputs: Inputs) -> Trial:
        """Encoder, or classifier with the weights of its parent, encoder and decoder frozen."""
        from nsmodels.systems.toy.task import DotsTask

        task = DotsTask(phase, config, inputs.data)
        if phase == "encoder":
            return Trial(task, config.training)
        return Trial(task, config.training, inputs.parent / "encoder" / "best.pt", freeze=("encoder", "decoder"))

    def load_network(self, path: Path, device: str = "auto") -> Any:
        """The network of a checkpoint file, in evaluation mode."""
        from nsmodels.engine import checkpoint
        from nsmodels.systems.toy.task import Network

        return checkpoint.restore(path, "network", Network, device)

    def score(self, order: Order[EvaluationConfig]) -> EvaluationResult:
        """Accuracy and negative log-likelihood on a split, beside chance and majority."""
        from nsmodels.systems.toy.evaluate import score

        return score(self.load(order.model, order.config.device), order)


SYSTEM = Toy()
