"""GQA: the published archives, the whole data set, and the subset that everything else starts from."""

from pathlib import Path

from pipeline.lib.dataset import Released
from pipeline.lib.display import pictures, results


def show(folder: Path) -> results.Metadata:
    """A contact sheet, the counts, and how often is asked and answered what."""
    from nsmodels.datasets.gqa.look import contact_sheet, distributions

    found = distributions(folder)
    panels = {
        name.replace("_", " "): found.pop(name)
        for name in ("answers", "structural_types", "semantic_types", "operations", "objects_per_image")
    }
    return {
        "contact_sheet": pictures.markdown(contact_sheet(folder), "images", "The first training images."),
        "distributions": pictures.bars(panels),
        **found,
    }


GQA = Released(
    "gqa",
    about_archive="URL, size, ETag and number of files of the four archives, read over HTTP ranges; "
    "nothing is downloaded.",
    about="GQA whole: 85,638 photographs with scene graphs, those of testdev, and all their questions (about 14 GB).",
    about_mini="10,000 training and 1,000 validation images with graphs and questions: out of the archives, "
    "or a synthetic twin.\n\n`source` in the launchpad takes the archives alone, the twin, or a folder of yours; "
    "a contact sheet is below.",
    verdicts={
        "schema": "Graphs, questions, programs, choices and image files have the released form and belong together.",
        "images": "Every image decodes to its last byte and has the size that its graph states.",
        "disjoint": "No image and no scene is in two splits.",
        "answers": "Every answer follows from the scene graph by the executor; of released questions, 95 % of them.",
        "balance": "No answer is so frequent in its group that guessing it would pay.",
        "prior": "A blind guess by the kind of question is not too good.",
    },
    # Everything else makes a model trained on such data meaningless, and so blocks it.
    warnings=("balance", "prior"),
    show=show,
)
assets, dataset_checks = GQA.assets(), GQA.checks()
