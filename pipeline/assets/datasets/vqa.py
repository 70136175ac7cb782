"""VQA v2: the published archives, the whole data set, and the subset that everything else starts from."""

from pathlib import Path

import dagster as dg

from nsmodels.core.artifact import Manifest, folder_of
from nsmodels.core.orders import Inputs, Order
from nsmodels.datasets.vqa.config import CODE_VERSION, VqaConfig, debug, full, mini, quick
from pipeline.lib import checks, policy, step, store
from pipeline.lib.display import pictures, results
from pipeline.lib.launchpad import Launchpad

FULL = Launchpad({"full": full}, default="full")
MINI = Launchpad({"mini": mini, "quick": quick, "debug": debug}, default="mini")


def build(order: Order[VqaConfig]) -> Manifest:
    """Fetch, cut or draw the data of an order."""
    from nsmodels.datasets.vqa.prepare import prepare

    return prepare(order.config, order.key, order.folder, is_forced=order.force)


def inspect(order: Order[VqaConfig]) -> Manifest:
    """Look at the archives without downloading them."""
    from nsmodels.datasets.vqa.prepare import inspect_archives

    return inspect_archives(order.config, order.folder)


def show(folder: Path) -> results.Metadata:
    """A contact sheet, the counts, and how often is asked and answered what."""
    from nsmodels.datasets.vqa.look import contact_sheet, distributions

    found = distributions(folder)
    panels = {f"answers: {kind}": shares for kind, shares in found.pop("answer_shares").items()}
    for name in ("question_types", "answer_types"):
        panels[name.replace("_", " ")] = found.pop(name)
    return {
        "contact_sheet": pictures.markdown(contact_sheet(folder), "images"),
        "distributions": pictures.bars(panels),
        **found,
    }


def only_the_library_knows(config: VqaConfig) -> None:
    """Source `auto` is settled only when the data are made, so `prepare` decides whether to keep what is there."""


def is_too_small(manifest: Manifest, preset: str) -> bool:
    """Whether the data are those of `debug` for another preset, or fewer drawn images than `base` is meant for.

    Fewer images of the archives or of a folder of one's own were somebody's choice and are kept.
    """
    num_train = manifest.config.get("num_train", 0)
    if preset in ("debug", "quick"):
        return preset != "debug" and num_train == debug().num_train
    return manifest.config.get("source") == "synthetic" and num_train < mini().num_train


@store.on_demand("vqa_mini", is_too_small)
def make_mini(preset: str | None) -> Manifest:
    """What a step that misses `vqa_mini` makes: the debug preset's few images for its own debug preset."""
    config = debug() if preset == "debug" else mini()
    return build(Order("vqa_mini", config, Inputs({}), folder_of("vqa_mini")))


@dg.asset(
    **policy.archive(), tags={"dataset": "vqa"}, code_version=FULL.version(CODE_VERSION), config_schema=FULL.schema
)
def vqa_archive(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """URL, size, ETag and number of members of the nine archives, read over HTTP ranges; nothing is downloaded."""
    return step.materialise(context, FULL, CODE_VERSION, (), inspect, wanted=only_the_library_knows)


@dg.asset(
    **policy.dataset(),
    tags={"dataset": "vqa"},
    deps=["vqa_archive"],
    code_version=FULL.version(CODE_VERSION),
    config_schema=FULL.schema,
)
def vqa(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """VQA v2 whole: 82,783 training and 40,504 validation photographs, 658,111 questions, ten answers each (21 GB)."""
    return step.materialise(context, FULL, CODE_VERSION, (), build, show, wanted=only_the_library_knows)


@dg.asset(
    **policy.dataset(),
    tags={"dataset": "vqa_mini"},
    deps=["vqa_archive"],
    code_version=MINI.version(CODE_VERSION),
    config_schema=MINI.schema,
)
def vqa_mini(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """10,000 training and 1,000 validation images with all their questions: out of the archives, or a synthetic twin.

    `source` in the launchpad takes the archives alone, the twin, or a folder of yours; a contact sheet is below.
    """
    return step.materialise(context, MINI, CODE_VERSION, (), build, show, wanted=only_the_library_knows)


CHECKS = {
    "schema": "Questions, annotations, pairs and boxes have the released form and belong together.",
    "images": "Every image that is asked about decodes to its last byte.",
    "disjoint": "No image is in two splits.",
    "pairs": "Complementary questions have the same words, different images and different true answers.",
    "truths": "Of a twin: every true answer follows from the scene graph.",
    "balance": "No answer is so frequent that a prior could live on it.",
}
WARNINGS = {"balance", "pairs"}  # everything else makes a model trained on such data meaningless, and so blocks it


dataset_checks = [
    checks.check(key, name, text, checks.of_dataset("vqa", name), name in WARNINGS, name not in WARNINGS)
    for key in ("vqa", "vqa_mini")
    for name, text in CHECKS.items()
]
