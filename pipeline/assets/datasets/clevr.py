"""CLEVR: the published archive, the whole data set, and the subset that everything else starts from."""

from pathlib import Path

from pipeline.lib.dataset import Released
from pipeline.lib.display import pictures, results


def show(folder: Path) -> results.Metadata:
    """A contact sheet, the counts, and how often is asked and answered what."""
    from nsmodels.datasets.clevr.look import contact_sheet, distributions

    found = distributions(folder)
    panels = {f"answers: {kind}".replace("_", " "): shares for kind, shares in found.pop("answer_shares").items()}
    for name in ("questions_per_family", "objects_per_image"):
        panels[name.replace("_", " ")] = found.pop(name)
    return {
        "contact_sheet": pictures.markdown(contact_sheet(folder), "images", "The first training images."),
        "distributions": pictures.bars(panels),
        **found,
    }


CLEVR = Released(
    "clevr",
    about_archive="URL, size, ETag and member list of CLEVR_v1.0.zip, read over HTTP ranges; nothing is downloaded.",
    about="CLEVR v1.0 whole: 70,000 training and 15,000 validation images with scenes and questions (18 GB).",
    about_mini="""10,000 training and 1,000 validation images: out of the archive, or its synthetic twin, by name.

`source` in the launchpad takes the archive alone, the twin, or a folder of yours; a contact sheet is below.""",
    verdicts={
        "schema": "Scenes, questions and image files have the released form and belong together.",
        "images": "Every image decodes to its last byte.",
        "disjoint": "No scene stands in two splits.",
        "answers": "Every answer follows from the scene by the executor.",
        "balance": "No answer is so frequent that a prior could live on it.",
    },
    # Everything else makes a model trained on such data meaningless, and so blocks it.
    warnings=("balance",),
    show=show,
)
assets, dataset_checks = CLEVR.assets(), CLEVR.checks()
