"""CLEVR: the published archive, the whole data set, and the subset that everything else starts from."""

from pathlib import Path

import dagster as dg

from nsmodels.core.artifact import Manifest, folder_of
from nsmodels.core.orders import Inputs, Order
from nsmodels.datasets.clevr.config import CODE_VERSION, ClevrConfig, debug, full, mini, quick
from pipeline.lib import checks, policy, step, store
from pipeline.lib.display import pictures, results
from pipeline.lib.launchpad import Launchpad

FULL = Launchpad({"full": full}, default="full")
MINI = Launchpad({"mini": mini, "quick": quick, "debug": debug}, default="mini")


def build(order: Order[ClevrConfig]) -> Manifest:
    """Fetch, cut or render the data of an order."""
    from nsmodels.datasets.clevr.prepare import prepare

    return prepare(order.config, order.key, order.folder, is_forced=order.force)


def inspect(order: Order[ClevrConfig]) -> Manifest:
    """Look at the archive without downloading it."""
    from nsmodels.datasets.clevr.prepare import inspect_archive

    return inspect_archive(order.config, order.folder)


def show(folder: Path) -> results.Metadata:
    """A contact sheet, the counts, and how often is asked and answered what."""
    from nsmodels.datasets.clevr.look import contact_sheet, distributions

    found = distributions(folder)
    panels = {f"answers: {kind}".replace("_", " "): shares for kind, shares in found.pop("answer_shares").items()}
    for name in ("questions_per_family", "objects_per_image"):
        panels[name.replace("_", " ")] = found.pop(name)
    return {
        "contact_sheet": pictures.markdown(contact_sheet(folder), "images"),
        "distributions": pictures.bars(panels),
        **found,
    }


def only_the_library_knows(config: ClevrConfig) -> None:
    """Source `auto` is settled only when the data are made, so `prepare` decides whether to keep what is there."""


def is_too_small(manifest: Manifest, preset: str) -> bool:
    """Whether the data are those of `debug` for another preset, or fewer rendered images than `base` is meant for.

    Fewer images of the archive or of a folder of one's own were somebody's choice and are kept.
    """
    num_train = manifest.config.get("num_train", 0)
    if preset in ("debug", "quick"):
        return preset != "debug" and num_train == debug().num_train
    return manifest.config.get("source") == "synthetic" and num_train < mini().num_train


@store.on_demand("clevr_mini", is_too_small)
def make_mini(preset: str | None) -> Manifest:
    """What a step that misses `clevr_mini` makes: the debug preset's few images for its own debug preset."""
    config = debug() if preset == "debug" else mini()
    return build(Order("clevr_mini", config, Inputs({}), folder_of("clevr_mini")))


@dg.asset(
    **policy.archive(), tags={"dataset": "clevr"}, code_version=FULL.version(CODE_VERSION), config_schema=FULL.schema
)
def clevr_archive(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """URL, size, ETag and member list of CLEVR_v1.0.zip, read over HTTP ranges; nothing is downloaded."""
    return step.materialise(context, FULL, CODE_VERSION, (), inspect, wanted=only_the_library_knows)


@dg.asset(
    **policy.dataset(),
    tags={"dataset": "clevr"},
    deps=["clevr_archive"],
    code_version=FULL.version(CODE_VERSION),
    config_schema=FULL.schema,
)
def clevr(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """CLEVR v1.0 whole: 70,000 training and 15,000 validation images with scenes and questions (18 GB)."""
    return step.materialise(context, FULL, CODE_VERSION, (), build, show, wanted=only_the_library_knows)


@dg.asset(
    **policy.dataset(),
    tags={"dataset": "clevr_mini"},
    deps=["clevr_archive"],
    code_version=MINI.version(CODE_VERSION),
    config_schema=MINI.schema,
)
def clevr_mini(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """10,000 training and 1,000 validation images: out of the archive, or its synthetic twin, by name.

    `source` in the launchpad takes the archive alone, the twin, or a folder of yours; a contact sheet is below.
    """
    return step.materialise(context, MINI, CODE_VERSION, (), build, show, wanted=only_the_library_knows)


CHECKS = {
    "schema": "Scenes, questions and image files have the released form and belong together.",
    "images": "Every image decodes to its last byte.",
    "disjoint": "No scene stands in two splits.",
    "answers": "Every answer follows from the scene by the executor.",
    "balance": "No answer is so frequent that a prior could live on it.",
}
WARNINGS = {"balance"}  # everything else makes a model trained on such data meaningless, and so blocks it


dataset_checks = [
    checks.check(key, name, text, checks.of_dataset("clevr", name), name in WARNINGS, name not in WARNINGS)
    for key in ("clevr", "clevr_mini")
    for name, text in CHECKS.items()
]
