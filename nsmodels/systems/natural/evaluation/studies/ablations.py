"""The ablations: every part of the model left out once, on questions with programs and on answers of people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nsmodels.core.artifact import Manifest
from nsmodels.core.errors import InputError
from nsmodels.core.orders import DATA, Order
from nsmodels.studies.study import run_study
from nsmodels.studies.trials import Arm
from nsmodels.systems.natural import SYSTEM
from nsmodels.systems.natural.config import NaturalConfig, NaturalEvaluation
from nsmodels.systems.natural.evaluation.studies.config import VARIANTS, AblationConfig
from nsmodels.systems.natural.evaluation.studies.counting import count, measure_size
from nsmodels.systems.natural.evaluation.studies.scoring import score_answers, score_programs
from nsmodels.systems.natural.folders import NAMES, Kind, sorted_by_kind

OF_PROGRAMS = ("programs", "soft", "rules")  # parts that act only where programs are learnt


def ablate(order: Order[AblationConfig]) -> Manifest:
    """Train and score every variant over all seeds on the folders of an order, and seal the table.

    A stopped study resumes. Raises `InputError` for folders that are neither GQA nor VQA, for parts that cannot act
    there, and as `run_study`.
    """
    return run_study(order, arms_for, SYSTEM.package, "ablations")


def arms_for(order: Order[AblationConfig]) -> list[Arm]:
    """The parts of the study on the folders of an order, see `arms_of`."""
    return list(arms_of(order.config, order.inputs.datasets))


def arms_of(config: AblationConfig, data: Mapping[str, Path]) -> Iterator[Arm]:
    """A part of the study on questions with programs, and one on answers of people, for the folders that are given."""
    keys: dict[Kind, str] = {kind: key for key, path in data.items() for kind in sorted_by_kind([path])}
    if not sorted_by_kind(data.values()).keys() & {"gqa", "vqa"}:
        raise InputError(f"data: no folder of {NAMES['gqa']} or {NAMES['vqa']}; give one of these or both")
    if "gqa" in keys:
        own = {keys["gqa"]: data[keys["gqa"]]}
        yield _arm(config, "gqa", own, config.variants)
    if "vqa" in keys:
        chosen = config.answer_variants
        if "gqa" not in keys:
            chosen = [name for name in chosen if name not in OF_PROGRAMS]
        if not chosen:
            raise InputError(f"answer_variants: {', '.join(OF_PROGRAMS)} need a folder of GQA beside that of VQA")
        yield _arm(
            config,
            "gqa_vqa" if "gqa" in keys else "vqa",
            {key: data[key] for kind, key in keys.items() if kind != "clevr"},
            chosen,
        )


def _arm(config: AblationConfig, dataset: str, data: Mapping[str, Path], chosen: Sequence[str]) -> Arm:
    model = NaturalConfig.model_validate({**config.model.model_dump(), "dataset": dataset})
    values: dict[str, Any] = {"split": config.split, "max_images": config.num_images}
    return Arm(
        name="+".join(path.name if key == DATA else key for key, path in data.items()),
        system=SYSTEM,
        config=model,
        evaluation=NaturalEvaluation().with_values({**values, "device": model.training.device}),
        data=data,
        variants={name: VARIANTS[name] for name in chosen},
        score=score_programs if dataset == "gqa" else score_answers,
        measure=measure_size,
        count=count,
    )
