"""VQA v2: the published archives, the whole data set, and the subset that everything else starts from."""

from pathlib import Path

from pipeline.lib.dataset import Released
from pipeline.lib.display import pictures, results

LEGEND = "Training images; where there are pairs, the two of each, which differ in the answer to the same question."


def show(folder: Path) -> results.Metadata:
    """A contact sheet, the counts, and how often is asked and answered what."""
    from nsmodels.datasets.vqa.look import contact_sheet, distributions

    found = distributions(folder)
    panels = {f"answers: {kind}": shares for kind, shares in found.pop("answer_shares").items()}
    for name in ("question_types", "answer_types"):
        panels[name.replace("_", " ")] = found.pop(name)
    return {
        "contact_sheet": pictures.markdown(contact_sheet(folder), "images", LEGEND),
        "distributions": pictures.bars(panels),
        **found,
    }


VQA = Released(
    "vqa",
    about_archive="URL, size, ETag and number of members of the nine archives, read over HTTP ranges; "
    "nothing is downloaded.",
    about="VQA v2 whole: 82,783 training and 40,504 validation photographs, 658,111 questions, "
    "ten answers each (21 GB).",
    about_mini="10,000 training and 1,000 validation images with all their questions: out of the archives, "
    "or a synthetic twin.\n\n`source` in the launchpad takes the archives alone, the twin, or a folder of yours; "
    "a contact sheet is below.",
    verdicts={
        "schema": "Questions, annotations, pairs and boxes have the released form and belong together.",
        "images": "Every image that is asked about decodes to its last byte.",
        "disjoint": "No image is in two splits.",
        "pairs": "Complementary questions have the same words, different images and different true answers.",
        "truths": "Of a twin: every true answer follows from the scene graph.",
        "balance": "No answer is so frequent that a prior could live on it.",
    },
    # Everything else makes a model trained on such data meaningless, and so blocks it.
    warnings=("balance", "pairs"),
    show=show,
)
assets, dataset_checks = VQA.assets(), VQA.checks()
