"""GQA: the published archives, the whole data set, and the subset that everything else starts from."""

from pathlib import Path

import dagster as dg

from nsmodels.core.artifact import Manifest, folder_of
from nsmodels.core.orders import Inputs, Order
from nsmodels.datasets.gqa.config import CODE_VERSION, GqaConfig, debug, full, mini, quick
from pipeline.lib import checks, policy, step, store
from pipeline.lib.display import pictures, results
from pipeline.lib.launchpad import Launchpad

FULL = Launchpad({"full": full}, default="full")
MINI = Launchpad({"mini": mini, "quick": quick, "debug": debug}, default="mini")


def build(order: Order[GqaConfig]) -> Manifest:
    """Fetch, cut or compose the data of an order."""
    from nsmodels.datasets.gqa.prepare import prepare

    return prepare(order.config, order.key, order.folder, is_forced=order.force)


def inspect(order: Order[GqaConfig]) -> Manifest:
    """Look at the archives without downloading them."""
    from nsmodels.datasets.gqa.prepare import inspect_archives

    return inspect_archives(order.config, order.folder)


def show(folder: Path) -> results.Metadata:
    """A contact sheet, the counts, and how often is asked and answered what."""
    from nsmodels.datasets.gqa.look import contact_sheet, distributions

    found = distributions(folder)
    panels = {
        name.replace("_", " "): found.pop(name)
        for name in ("answers", "structural_types", "semantic_types", "operations", "objects_per_image")
    }
    return {
        "contact_sheet": pictures.markdown(contact_sheet(folder), "images"),
        "distributions": pictures.bars(panels),
        **found,
    }


def only_the_library_knows(config: GqaConfig) -> None:
    """Source `auto` is settled only when the data are made, so `prepare` decides whether to keep what is there."""


def is_too_small(manifest: Manifest, preset: str) -> bool:
    """Whether the data are those of `debug` for another preset, or fewer composed scenes than `base` is meant for.

    Fewer images of the archives or of a folder of one's own were somebody's choice and are kept.
    """
    num_train = manifest.config.get("num_train", 0)
    if preset in ("debug", "quick"):
        return preset != "debug" and num_train == debug().num_train
    return manifest.config.get("source") == "synthetic" and num_train < mini().num_train


@store.on_demand("gqa_mini", is_too_small)
def make_mini(preset: str | None) -> Manifest:
    """What a step that misses `gqa_mini` makes: the debug preset's few images for its own debug preset."""
    config = debug() if preset == "debug" else mini()
    return build(Order("gqa_mini", config, Inputs({}), folder_of("gqa_mini")))


@dg.asset(
    **policy.archive(), tags={"dataset": "gqa"}, code_version=FULL.version(CODE_VERSION), config_schema=FULL.schema
)
def gqa_archive(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """URL, size, ETag and number of files of the four archives, read over HTTP ranges; nothing is downloaded."""
    return step.materialise(context, FULL, CODE_VERSION, (), inspect, wanted=only_the_library_knows)


@dg.asset(
    **policy.dataset(),
    tags={"dataset": "gqa"},
    deps=["gqa_archive"],
    code_version=FULL.version(CODE_VERSION),
    config_schema=FULL.schema,
)
def gqa(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """GQA whole: 85,638 photographs with scene graphs, those of testdev, and all their questions (about 14 GB)."""
    return step.materialise(context, FULL, CODE_VERSION, (), build, show, wanted=only_the_library_knows)


@dg.asset(
    **policy.dataset(),
    tags={"dataset": "gqa_mini"},
    deps=["gqa_archive"],
    code_version=MINI.version(CODE_VERSION),
    config_schema=MINI.schema,
)
def gqa_mini(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """10,000 training and 1,000 validation images with graphs and questions: out of the archives, or a synthetic twin.

    `source` in the launchpad takes the archives alone, the twin, or a folder of yours; a contact sheet is below.
    """
    return step.materialise(context, MINI, CODE_VERSION, (), build, show, wanted=only_the_library_knows)


CHECKS = {
    "schema": "Graphs, questions, programs, choices and image files have the released form and belong together.",
    "images": "Every image decodes to its last byte and has the size that its graph states.",
    "disjoint": "No image and no scene is in two splits.",
    "answers": "Every answer follows from the scene graph by the executor; of released questions, 95 % of them.",
    "balance": "No answer is so frequent in its group that guessing it would pay.",
    "prior": "A blind guess by the kind of question is not too good.",
}
WARNINGS = {"balance", "prior"}  # everything else makes a model trained on such data meaningless, and so blocks it


dataset_checks = [
    checks.check(key, name, text, checks.of_dataset("gqa", name), name in WARNINGS, name not in WARNINGS)
    for key in ("gqa", "gqa_mini")
    for name, text in CHECKS.items()
]
