"""Command lines that a different system runs: `nsmodels visual answer` with a checkpoint of natural images, and so on.

Systems do not see each other; which one made a checkpoint is in its manifest.
"""

from __future__ import annotations

from collections.abc import Sequence

from nsmodels.core import artifact, discover
from nsmodels.formats.images.commands import checkpoint_of
from nsmodels.loading import SYSTEMS


def system_for(name: str, words: Sequence[str]) -> str:
    """The system that runs the command line `nsmodels <name> <words>`.

    It is the one that made the checkpoint of the verb `answer`, where both answer questions about images; else `name`.
    """
    folder = checkpoint_of(list(words))
    if folder is None or not discover.system(name).has_answers or not folder.is_dir():
        return name
    maker = artifact.maker_of(folder).removeprefix(SYSTEMS)
    is_known = maker in discover.systems()
    return maker if is_known and discover.system(maker).has_answers else name
