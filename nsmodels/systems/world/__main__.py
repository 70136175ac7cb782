"""Command line of the world model: `nsmodels world train | evaluate | imagine | study`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nsmodels.core import artifact, disk
from nsmodels.core.cli import Parser, run
from nsmodels.core.errors import InputError
from nsmodels.engine.commands import verbs
from nsmodels.systems.world import SYSTEM
from nsmodels.systems.world.studies.config import ABLATION_PRESETS

MODEL_KEY = "world_model"
STUDIES = {
    "ablations": verbs.Study(
        "nsmodels.systems.world.studies.ablations:ablate",
        ABLATION_PRESETS,
        "one modality, two and all three, over several seeds of the five phases",
    ),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and run the verb."""
    arguments = parser().parse_args(argv)
    return arguments.verb(arguments)


def parser() -> Parser:
    """The parser of this command line."""
    return verbs.parser(SYSTEM, _add_verbs)


def _add_verbs(added: Any) -> None:
    imagine = added.add_parser("imagine", help="how a clip goes on, beside the simulator; beliefs; what if")
    imagine.add_argument("--checkpoint", type=Path, help=f"folder of train full [{MODEL_KEY} of the data root]")
    imagine.add_argument("--data", type=Path, help=f"folder that has the clip [{SYSTEM.data_key} of the data root]")
    imagine.add_argument("--clip", required=True, metavar="ID", help="name of the clip; nsmodels impacts show")
    imagine.add_argument(
        "--action",
        metavar="TEXT",
        help='in place of the recorded one, as "strike force=3 at=0.2,0.1": a verb, and force (N), speed (m/s), at '
        "(halves of the size), direction (degrees), tip (log10 Pa), aperture (m), target, from and for (steps)",
    )
    imagine.add_argument(
        "--do", metavar="VARIABLE=VALUE", help="what would be different: mass=2, gravity=0, support=absent, colour=0.5"
    )
    imagine.add_argument("--context", type=int, default=0, metavar="N", help="observed steps [those before the action]")
    imagine.add_argument("--draw", type=Path, metavar="FILE", help="draw states and beliefs (.png .svg .pdf)")
    imagine.add_argument("--json", type=Path, metavar="FILE", help="write the answer as JSON")
    imagine.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N [auto]")
    imagine.set_defaults(verb=_imagine)
    verbs.add_studies(added, SYSTEM, "many trainings: the whole chain over several seeds", STUDIES)


def _imagine(arguments: argparse.Namespace) -> int:
    from nsmodels.systems.world.imagination import drawing
    from nsmodels.systems.world.imagination.actions import read_action, read_change
    from nsmodels.systems.world.imagination.imagine import imagine
    from nsmodels.systems.world.imagination.text import as_text

    action = read_action(arguments.action) if arguments.action is not None else None
    change = read_change(arguments.do) if arguments.do is not None else None
    if arguments.draw:
        drawing.check_suffix(arguments.draw)
    data, checkpoint = _folder(arguments.data, SYSTEM.data_key), _folder(arguments.checkpoint, MODEL_KEY)
    artifact.require_files({"--draw": arguments.draw, "--json": arguments.json}, [data, checkpoint])
    if arguments.context < 0:
        raise InputError(f"--context {arguments.context}: expected the number of observed steps, from 1 on")
    model = SYSTEM.load(checkpoint, arguments.device)
    found = imagine(model, data, arguments.clip, action, change, arguments.context)
    print(as_text(found))
    if arguments.draw:
        drawing.draw(found, arguments.draw)
    if arguments.json:
        disk.write_json(arguments.json, found.to_dict())
    return 0


def _folder(given: Path | None, key: str) -> Path:
    """The folder given, else the asset's; `InputError` with the command that makes it when there is none."""
    if given is None:
        artifact.read_manifest(artifact.folder_of(key), key)
    return given or artifact.folder_of(key)


if __name__ == "__main__":
    sys.exit(run(main))
