"""The tiny recursive navigator: one network that plans on grid maps by thinking in steps, taught by exact search."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from nsmodels.core.artifact import Part
from nsmodels.core.orders import Inputs, Order
from nsmodels.engine.system import Stage, System
from nsmodels.engine.trial import Trial
from nsmodels.evaluation.sealing import EvaluationResult
from nsmodels.systems.nav.config import (
    CODE_VERSION,
    EVALUATION_PRESETS,
    EVALUATION_VERSION,
    METRICS,
    NAVIGATOR,
    PRESETS,
    SECTIONS,
    EvaluationConfig,
    NavConfig,
)
from nsmodels.systems.nav.space import SPACES

if TYPE_CHECKING:
    from nsmodels.engine.loop import Fit
    from nsmodels.evaluation.demonstration import Demonstration

PHASES = (NAVIGATOR, "mlp", "cnn")


@final
class Nav(System[NavConfig, EvaluationConfig]):
    """The navigator, and an MLP and a CNN without recursion trained beside it."""

    name = "nav"
    stages = (Stage(PHASES, PRESETS, scored=(NAVIGATOR,)),)
    datasets = ("mazes",)
    data_key = "mazes"
    evaluation_presets = EVALUATION_PRESETS
    metrics = METRICS
    sections = SECTIONS
    spaces = SPACES
    code_version = CODE_VERSION
    evaluation_version = EVALUATION_VERSION

    def make_trial(self, phase: str, config: NavConfig, inputs: Inputs) -> Trial:
        """The navigator, the MLP or the CNN on navigation data."""
        from nsmodels.systems.nav.phases import make_trial

        return make_trial(phase, config, inputs.data)

    def load(self, folder: Path, device: str = "auto") -> Any:
        """The `Navigator` of a checkpoint folder."""
        from nsmodels.systems.nav.network.construction import load_navigator

        return load_navigator(folder, device)

    def load_network(self, path: Path, device: str = "auto") -> Any:
        """The network in one checkpoint file: the `Navigator`, or the plain `Mlp` or `Cnn` trained beside it."""
        from nsmodels.systems.nav.phases import load_network

        return load_network(path, device)

    def score(self, order: Order[EvaluationConfig]) -> EvaluationResult:
        """Walks on held-out and larger maps beside rules, plain networks and exact search; calibration and speed."""
        from nsmodels.systems.nav.evaluate import score

        return score(order)

    def check_networks(self, config: NavConfig) -> None:
        """A width that the groups of channels divide, and other demands of the cores."""
        import torch

        from nsmodels.systems.nav.network.construction import make_navigator

        with torch.device("meta"):
            make_navigator(config.model)

    def enabled(self, stage: Stage, config: NavConfig) -> tuple[str, ...]:
        """The navigator, and the plain networks unless they are switched off."""
        return PHASES if config.baselines.is_enabled else (NAVIGATOR,)

    def after_phase(self, phase: str, fit: Fit, order: Order[NavConfig], part: Part) -> dict[str, Any]:
        """The diagnosis of the navigator's training; the size of a plain network."""
        from nsmodels.systems.nav.train import figures

        return figures(phase, fit, order.data, part.path)

    def call_compiled(self, data: Path) -> None:
        """The recursion of a navigator, and walks from start to goal."""
        import numpy as np

        from nsmodels.datasets.mazes.files.format import read_split
        from nsmodels.systems.nav.network.construction import make_navigator
        from nsmodels.systems.nav.planning.rollout import roll_out

        maps = read_split(data, "val").groups[0].maps[:]
        make_navigator(PRESETS["debug"]().model).policy(maps)
        roll_out(np.zeros(maps.free.shape, np.int8), maps)

    def export(self, model: Any, path: Path) -> Path:
        """The navigator, its recursion as a loop: until no value changes, or with latents as often as in training."""
        from nsmodels.systems.nav.network.export import export

        return export(model, path).path

    def history(self, phases: dict[str, Any]) -> Mapping[str, Any]:
        """The epochs of each phase, and the navigator's once more as columns."""
        from nsmodels.systems.nav.train import with_columns

        return with_columns(phases)

    def demonstrate(self, model: Any, data: Path, num: int, seed: int = 0) -> Demonstration:
        """Plans on test maps, walked and drawn, and with a wall on the path."""
        from nsmodels.systems.nav.pictures.demonstration import demonstrate

        return demonstrate(model, data, num, seed)


SYSTEM = Nav()
