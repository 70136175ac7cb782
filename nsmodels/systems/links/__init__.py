"""Link prediction in knowledge bases: embeddings, a relational network that reasons from an entity, and both."""

from __future__ import annotations

from pathlib import Path
from typing import Any, final

from nsmodels.core.orders import Inputs, Order
from nsmodels.engine.system import Stage, System
from nsmodels.engine.trial import Trial
from nsmodels.evaluation.sealing import EvaluationResult
from nsmodels.systems.links.config import (
    BASES,
    CODE_VERSION,
    EVALUATION_PRESETS,
    EVALUATION_VERSION,
    HYBRID,
    METRICS,
    PRESETS,
    RELATIONAL,
    SECTIONS,
    EvaluationConfig,
    LinksConfig,
    presets_of,
)
from nsmodels.systems.links.space import SPACES

PHASES = tuple(METRICS)


@final
class Links(System[LinksConfig, EvaluationConfig]):
    """ComplEx, the source-conditioned relational network, and the hybrid of the two, which is the model."""

    name = "links"
    stages = (Stage(PHASES, PRESETS, scored=(HYBRID,)),)
    datasets = ("knowledge_bases",)
    data_key = "knowledge_bases"
    evaluation_presets = EVALUATION_PRESETS
    metrics = METRICS
    sections = SECTIONS
    spaces = SPACES
    code_version = CODE_VERSION
    evaluation_version = EVALUATION_VERSION

    def make_trial(self, phase: str, config: LinksConfig, inputs: Inputs) -> Trial:
        """One of the networks on a base."""
        from nsmodels.systems.links.phases import make_trial

        return make_trial(phase, config, inputs.data)

    def presets_for(
        self, stage: Stage, values: Mapping[str, Any], data: Collection[str]
    ) -> Mapping[str, Callable[[], Any]] | None:
        """Those for the base."""
        return presets_of(values["base"]) if values.get("base") in BASES else None

    def load(self, folder: Path, device: str = "auto") -> Any:
        """The `LinkPredictor` of a checkpoint folder, with the hybrid."""
        from nsmodels.systems.links.predictor import LinkPredictor

        return LinkPredictor.load(folder / HYBRID / "best.pt", device)

    def load_network(self, path: Path, device: str = "auto") -> Any:
        """The network in one checkpoint file."""
        from nsmodels.systems.links.phases import load_network

        return load_network(path, device)

    def score(self, order: Order[EvaluationConfig]) -> EvaluationResult:
        """Filtered ranks and matched pairs of all networks, beside frequency and chance."""
        from nsmodels.systems.links.evaluate import score

        return score(order)

    def check(self, order: Order[LinksConfig]) -> None:
        """The base is among those of the data."""
        from nsmodels.datasets.knowledge_bases import bases

        bases.read(order.data, order.config.base)

    def enabled(self, stage: Stage, config: LinksConfig) -> tuple[str, ...]:
        """ComplEx and the hybrid, and the relational network alone unless it is switched off."""
        return tuple(phase for phase in PHASES if phase != RELATIONAL or config.relational.is_alone)


SYSTEM = Links()
