"""The graph reasoner: one network that thinks in rounds over labelled graphs, taught by the oracle's own trace."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, final

from nsmodels.core.artifact import Part
from nsmodels.core.orders import Inputs, Order
from nsmodels.engine.system import Domain, Stage, System
from nsmodels.engine.trial import Trial
from nsmodels.evaluation.sealing import EvaluationResult
from nsmodels.systems.graph.config import (
    CODE_VERSION,
    DATASETS,
    EVALUATION_PRESETS,
    EVALUATION_VERSION,
    METRICS,
    PRESETS,
    PRESETS_BY_DOMAIN,
    REASONER,
    SECTIONS,
    EvaluationConfig,
    GraphConfig,
)
from nsmodels.systems.graph.space import SPACES
from nsmodels.systems.graph.studies.config import COMPARISON_PRESETS

if TYPE_CHECKING:
    from nsmodels.engine.loop import Fit
    from nsmodels.evaluation.demonstration import Demonstration

PHASES = tuple(METRICS)


@final
class GraphSystem(System[GraphConfig, EvaluationConfig]):
    """The reasoner, the same network without a trace, a flat R-GCN, and the source document's coupled levels."""

    name = "graph"
    stages = (Stage(PHASES, PRESETS, scored=(REASONER,)),)
    datasets = ("causal_graphs", "planning_graphs", "knowledge_graphs", "long_chains")
    data_key = "causal_graphs"
    has_curriculum = True
    domains: ClassVar = {name: Domain(DATASETS[name], presets) for name, presets in PRESETS_BY_DOMAIN.items()}
    reports: ClassVar = {"cross_domain_comparison": COMPARISON_PRESETS}
    evaluation_presets = EVALUATION_PRESETS
    metrics = METRICS
    sections = SECTIONS
    spaces = SPACES
    code_version = CODE_VERSION
    evaluation_version = EVALUATION_VERSION

    def make_trial(self, phase: str, config: GraphConfig, inputs: Inputs) -> Trial:
        """One of the networks on labelled graphs."""
        from nsmodels.systems.graph.phases import make_trial

        return make_trial(phase, config, inputs.data)

    def load(self, folder: Path, device: str = "auto") -> Any:
        """The `Reasoner` of a checkpoint folder."""
        from nsmodels.systems.graph.reasoner import Reasoner

        return Reasoner.load(folder, device)

    def load_checkpoint(self, path: Path, device: str = "auto") -> Any:
        """The `Reasoner` of one checkpoint file."""
        from nsmodels.systems.graph.reasoner import Reasoner

        return Reasoner.from_checkpoint(path, device)

    def load_network(self, path: Path, device: str = "auto") -> Any:
        """The network in one checkpoint file."""
        from nsmodels.systems.graph.reasoner import Reasoner

        return Reasoner.from_checkpoint(path, device).network

    def score(self, order: Order[EvaluationConfig]) -> EvaluationResult:
        """Both twins right, by kind of query and by length, beside networks, counts and colours."""
        from nsmodels.systems.graph.evaluate import score

        return score(order)

    def metrics_of(self, phase: str, config: GraphConfig) -> tuple[str, ...]:
        """With levels also the reconstruction of nodes from their clusters."""
        has_cycle = phase in (REASONER, "labels_only") and config.model.kind == "levels"
        return (*METRICS[phase], "cycle") if has_cycle else METRICS[phase]

    def enabled(self, stage: Stage, config: GraphConfig) -> tuple[str, ...]:
        """The reasoner, and the baselines that are not switched off."""
        return tuple(phase for phase in PHASES if phase == REASONER or getattr(config.baselines, phase))

    def after_phase(self, phase: str, fit: Fit, order: Order[GraphConfig], part: Part) -> dict[str, Any]:
        """The temperature that calibrates a trained network, also written beside its checkpoints."""
        from nsmodels.systems.graph.train import calibrate

        return calibrate(phase, order.data, part.path, order.config.training.device)

    def call_compiled(self, data: Path) -> None:
        """Clusters, for networks with levels."""
        from nsmodels.formats.graphs import coarsening, files

        coarsening.clusters(files.read_split(data, "val"))

    def demonstrate(self, model: Any, data: Path, num: int, seed: int = 0) -> Demonstration:
        """Answers on test graphs with what carries them, and without it."""
        from nsmodels.systems.graph.explanation.demonstration import demonstrate

        return demonstrate(model, data, num, seed)


SYSTEM = GraphSystem()
