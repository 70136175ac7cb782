"""A clip imagined by a world model, beside the simulator."""

from __future__ import annotations

import io

from nsmodels import loading
from nsmodels.formats.clips import files
from nsmodels.notebook import live
from nsmodels.notebook.choice import Choice

WORLD = "world"


def imagine(choice: Choice, clip: str = "", action: str = "", do: str = "") -> None:
    """Print and draw how a clip goes on, what is believed of its object, and what a change would make of it.

    Args:
        choice: of the world model; for other systems one line is printed.
        clip: its name; default: the first test clip.
        action: in place of the recorded one, "strike force=3 at=0.2,0.1".
        do: what would be different, "mass=2".

    Raises `InputError` for an unknown clip, action or change.
    """
    if choice.system != WORLD:
        print(f"{choice.system} imagines nothing; the world model does")
        return
    from nsmodels.systems.world.imagination import actions, drawing, text
    from nsmodels.systems.world.imagination import imagine as imagination

    name = clip or str(files.read(choice.data, "test").ids[0])
    given = actions.read_action(action) if action else None
    change = actions.read_change(do) if do else None
    found = imagination.imagine(loading.load(choice.model), choice.data, name, given, change)
    print(text.as_text(found))
    stream = io.BytesIO()
    drawing.figure_of(found).savefig(stream, format="png", dpi=80)
    live.show_png(stream.getvalue())
