"""The world model: sight, sound and touch of an object fused to a state, which is imagined forward."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from nsmodels.core.artifact import Part
from nsmodels.core.orders import Inputs, Order
from nsmodels.engine.system import Stage, System
from nsmodels.engine.trial import Trial
from nsmodels.evaluation.sealing import EvaluationResult
from nsmodels.systems.world import presets
from nsmodels.systems.world.config import (
    CODE_VERSION,
    EVALUATION_PRESETS,
    EVALUATION_VERSION,
    METRICS,
    EvaluationConfig,
)
from nsmodels.systems.world.space import SPACES

if TYPE_CHECKING:
    from nsmodels.engine.loop import Fit
    from nsmodels.evaluation.demonstration import Demonstration

SHARED = ("compute",)  # other sections have fields of equal names that belong to modules of their own


@final
class World(System[Any, EvaluationConfig]):
    """Five stages of one phase each, every one of which starts from the one before and holds its modules, too."""

    name = "world"
    stages = (
        Stage(("vision",), presets.VISION, name="vision"),
        Stage(("audio",), presets.AUDIO, name="audio", starts_from="vision", shares=SHARED),
        Stage(("fusion",), presets.FUSION, name="fusion", starts_from="audio", shares=SHARED),
        Stage(("dynamics",), presets.DYNAMICS, name="dynamics", starts_from="fusion", shares=SHARED),
        Stage(("full",), presets.FULL, name="full", starts_from="dynamics", shares=SHARED),
    )
    datasets = ("impacts",)
    data_key = "impacts"
    evaluation_presets = EVALUATION_PRESETS
    metrics = METRICS
    spaces = SPACES
    code_version = CODE_VERSION
    evaluation_version = EVALUATION_VERSION

    def make_trial(self, phase: str, config: Any, inputs: Inputs) -> Trial:
        """The training of one phase on clips, from the weights of its parent."""
        from nsmodels.systems.world.phases import make_trial

        return make_trial(phase, config, inputs)

    def load(self, folder: Path, device: str = "auto") -> Any:
        """The `WorldModel` of a checkpoint folder of any stage."""
        from nsmodels.systems.world.model import WorldModel

        return WorldModel.load(folder, device)

    def load_network(self, path: Path, device: str = "auto") -> Any:
        """The `WorldNetwork` in one checkpoint file, with the modules of its phase and those before."""
        from nsmodels.systems.world.phases import load_network

        return load_network(path, device)

    def read_config(self, path: Path, stage: Stage, preset: Any, inputs: Inputs) -> Mapping[str, Any]:
        """Fields of a stage, also from the file of the source document, with a line for each that cannot act."""
        from nsmodels.systems.world.training.translation import read

        return read(path, stage.name, preset, inputs)

    def check_networks(self, config: Any) -> None:
        """The compiler, where one is asked for."""
        from nsmodels.systems.world.phases import require_compiler

        require_compiler(config)

    def after_phase(self, phase: str, fit: Fit, order: Order[Any], part: Part) -> dict[str, Any]:
        """The calibration of intervals on validation clips, where the phase predicts any."""
        from nsmodels.systems.world.model import WorldModel
        from nsmodels.systems.world.training.calibration import CALIBRATED, calibrate

        if phase not in CALIBRATED:
            return {}
        model = WorldModel.load(part.path, order.config.training.device)
        return calibrate(model, order.data, part.path / phase)

    def score(self, order: Order[EvaluationConfig]) -> EvaluationResult:
        """Six metrics on held-out objects and combinations, each beside chance, a simple baseline and its ceiling."""
        from nsmodels.systems.world.evaluate import score
        from nsmodels.systems.world.training import encoded

        encoded.forget()  # a chain that was trained in this process is over
        return score(order)

    def demonstrate(self, model: Any, data: Path, num: int, seed: int = 0) -> Demonstration:
        """Test clips imagined beside the simulator, and with twice the mass."""
        from nsmodels.systems.world.imagination.demonstration import demonstrate

        return demonstrate(model, data, num, seed)


SYSTEM = World()
