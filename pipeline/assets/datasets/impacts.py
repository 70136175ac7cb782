"""Impacts: clips of a hand that acts on an object, seen, heard and felt; simulated, or read from files of your own."""

from pathlib import Path

from nsmodels.datasets.impacts.prepare import recipe_of
from pipeline.lib.dataset import Generated
from pipeline.lib.display import pictures, results

SHOWN = 8

LEGEND = "A clip per row: pictures of the camera, spectrogram of the sound, what the hand feels over time."


def show(folder: Path) -> results.Metadata:
    """Pictures, spectrograms and forces of some clips, and the columns of the table."""
    import numpy as np

    from nsmodels.formats.clips import files
    from nsmodels.formats.clips.pictures import figure_of

    split = "test" if "test" in files.splits(folder) else files.splits(folder)[0]
    clips = files.read(folder, split)
    sheet = figure_of(clips.take(np.arange(0, len(clips), max(1, len(clips) // SHOWN))[:SHOWN]))
    return {
        "contact_sheet": pictures.markdown(pictures.rendered(sheet), "clips", LEGEND),
        **results.columns(folder / split / files.TABLE, files.COLUMNS),
    }


IMPACTS = Generated(
    "impacts",
    """Clips of 0.8 s: a hand weighs, taps and then pushes, lifts, strikes, squeezes, drops or tilts an object of one of
eight materials in one of five shapes. A simulation makes pictures, sound, what the hand feels, exact states, nine
properties, eight affordances, and twins: the same clip with one thing changed. Colour and density go together in
training, and not in the test splits.

`source: local` in the launchpad reads pictures, sounds and forces of yours; `source: hub` reads data sets of Hugging
Face `datasets`.""",
    {
        "schema": "Arrays have the shapes of the format, finite values, and nothing where a modality is not observed.",
        "splits_are_disjoint": "No object and no recording is in two splits; the split novel has its own combinations.",
        "confounded_in_training_only": "Colour and density are correlated in train and val, and not in test and novel.",
        "clips_are_reproducible": "On a sample, the same seed gives the same clips again.",
        "affordances_are_simulated": "On a sample, simulation tests decide every affordance as it is recorded.",
        "placebo_changes_nothing": "A twin with a different colour has equal states, outcomes and events.",
        "properties_are_identifiable": "A probe reads each property from at least one modality, and not from all.",
        "mechanics_is_sound": "On a sample, energy grows by work alone, momentum is kept, scipy's integrator agrees.",
        "sound_has_the_frequencies_of_the_modes": "On a sample, plates and bars ring at those of the closed formulas.",
    },
    show=show,
    wanted=recipe_of,
    kinds=("numpy", "parquet"),
)
impacts, impacts_checks = IMPACTS.asset(), IMPACTS.checks()
