"""Command line of a dataset of clips: `nsmodels <dataset> generate | show | verify`.

A dataset has its `prepare.prepare`; its module `checks` has `about(folder) -> str`, which `verify` prints at the end.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nsmodels.core import artifact, discover
from nsmodels.core.artifact import Manifest
from nsmodels.core.cli import Parser, Presets, add_config_flags, add_making, generate_data, run_checks
from nsmodels.core.errors import InputError, near

if TYPE_CHECKING:
    from nsmodels.formats.clips.tables import Clips

WRITTEN = {"draw": (".png", ".svg", ".pdf"), "wav": (".wav",), "gif": (".gif",)}


def parser(name: str, about: str | None, presets: Presets) -> Parser:
    """The parser of the dataset `name`."""
    made = Parser(prog=f"nsmodels {name}", description=about)
    verbs = made.add_subparsers(metavar="verb", required=True)
    generate = verbs.add_parser("generate", help="simulate clips, or read your own, and seal them; resumes")
    add_making(generate, "folder of the data")
    add_config_flags(generate, presets, "quick" if "quick" in presets else next(iter(presets)))
    generate.set_defaults(verb=partial(_generate, name, presets))
    show = verbs.add_parser("show", help="print what is in clips, draw them, write their sound and pictures")
    show.add_argument("--data", type=Path, required=True, help="folder of the data")
    show.add_argument("--split", default="test", help="which split [test]")
    show.add_argument("--clip", metavar="ID", help="instead of the first clips: the one of this id")
    show.add_argument("--number", type=int, default=1, help="number of clips, from the first on [1]")
    show.add_argument(
        "--draw", type=Path, metavar="FILE", help="draw pictures, spectrogram and forces (.png .svg .pdf)"
    )
    show.add_argument("--wav", type=Path, metavar="FILE", help="write the sound of the first of these clips")
    show.add_argument("--gif", type=Path, metavar="FILE", help="write the pictures of the first of these clips")
    show.set_defaults(verb=_show)
    verify = verbs.add_parser("verify", help="run every check, and print what each modality shows of the properties")
    verify.add_argument("--data", type=Path, required=True, help="folder of the data")
    verify.set_defaults(verb=partial(_verify, name))
    return made


def _generate(name: str, presets: Presets, arguments: argparse.Namespace) -> int:
    generate_data(name, presets, arguments, _counts)
    return 0


def _counts(manifest: Manifest) -> str:
    counts = ", ".join(f"{number['clips']:,} {split}" for split, number in manifest.metrics["num_clips"].items())
    return f"clips: {counts}; "


def _verify(name: str, arguments: argparse.Namespace) -> int:
    from nsmodels.formats.clips import files

    if not files.splits(arguments.data):
        raise InputError(f"{arguments.data}: no split of clips here; expected the folder made by {name} generate")
    faults, is_readable = run_checks(discover.checks(name), arguments.data)
    if is_readable:
        print(discover.module("datasets", name, "checks").about(arguments.data), end="")
    return 1 if faults else 0


def _show(arguments: argparse.Namespace) -> int:
    from nsmodels.formats.clips import files, pictures

    if arguments.number < 1:
        raise InputError(f"--number {arguments.number}: expected the number of clips, 1 or more")
    targets = {f"--{option}": getattr(arguments, option) for option in WRITTEN}
    for option, suffixes in WRITTEN.items():
        path = getattr(arguments, option)
        if path and path.suffix.lower() not in suffixes:
            raise InputError(f"--{option} {path}: expected a name ending in {', '.join(suffixes)}")
    artifact.require_files(targets, [arguments.data])
    clips = _chosen(files.read(arguments.data, arguments.split), arguments)
    print("\n\n".join(as_text(clips, row) for row in range(len(clips))))
    for option, path in ((option, getattr(arguments, option)) for option in WRITTEN):
        if path:
            getattr(pictures, f"write_{option}")(clips, path)
    return 0


def _chosen(clips: Clips, arguments: argparse.Namespace) -> Clips:
    import numpy as np

    if arguments.clip is None:
        return clips.take(np.arange(min(arguments.number, len(clips))))
    ids = clips.ids.tolist()
    if arguments.clip not in ids:
        raise InputError(f"--clip {arguments.clip}: not in split {arguments.split}{near(arguments.clip, ids)}")
    return clips.take(np.array([ids.index(arguments.clip)]))


def as_text(clips: Clips, row: int) -> str:
    """A clip as lines: what it has, its columns, properties, affordances, outcomes and events."""
    from nsmodels.formats.clips.names import AFFORDANCES, EVENTS, MODALITIES, OUTCOMES, PROPERTIES

    modalities = [modality for modality in MODALITIES if clips.has(modality)[row]]
    lines = [f"{clips.ids[row]}: {', '.join(modalities)}"]
    columns = {name: _worded(clips, name, values[row]) for name, values in clips.columns.items()}
    lines.append("  " + ", ".join(f"{name} {value}" for name, value in columns.items()))
    for title, names in (("properties", PROPERTIES), ("outcomes", OUTCOMES)):
        values = getattr(clips, title)
        if values is not None:
            # NaN is what a clip does not have: the pitch of silence.
            shown = (
                f"{name} {'-' if value != value else f'{value:.3g}'}"
                for name, value in zip(names, values[row].tolist(), strict=True)
            )
            lines.append(f"  {title}: {', '.join(shown)}")
    for title, names in (("affordances", AFFORDANCES), ("events", EVENTS)):
        values = getattr(clips, title)
        if values is not None:
            true = [name for name, value in zip(names, values[row], strict=True) if value]
            lines.append(f"  {title}: {', '.join(true) or 'none'}")
    return "\n".join(lines)


def _worded(clips: Clips, name: str, value: Any) -> str:
    import numpy as np

    words = clips.words.get(name)
    return (
        words[int(value)]
        if words and 0 <= int(value) < len(words)
        else f"{value:.4g}"
        if isinstance(value, np.floating)
        else str(value)
    )
