"""Command line of the graph reasoner: `nsmodels graph train | evaluate | explain | study`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nsmodels.core import artifact, disk
from nsmodels.core.cli import Parser, add_config_flags, config_from, run
from nsmodels.core.errors import InputError, near
from nsmodels.core.orders import Inputs, Order
from nsmodels.engine.commands import verbs
from nsmodels.systems.graph import SYSTEM
from nsmodels.systems.graph.config import DATASETS, PRESETS, PRESETS_BY_DOMAIN, REASONER
from nsmodels.systems.graph.studies.hyperparameters import SEARCH_PRESETS
from nsmodels.systems.graph.studies.variants import ABLATION_PRESETS

FIRST = next(iter(DATASETS))  # domain of data that are none of ours
LABELS_ONLY = "labels_only"
STUDIES = {
    "ablations": verbs.Study(
        "nsmodels.systems.graph.studies.ablations:ablate",
        ABLATION_PRESETS,
        "the network without one thing after the other, on one or several datasets",
    ),
    "search": verbs.Study(
        "nsmodels.systems.graph.studies.hyperparameters:search",
        SEARCH_PRESETS,
        "learning rate times cycle weight of the source document's network",
    ),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and run the verb."""
    arguments = parser().parse_args(argv)
    return arguments.verb(arguments)


def parser() -> Parser:
    """The parser of this command line."""
    return verbs.parser(SYSTEM, _add_verbs, has_train=False)


def _add_verbs(added: Any) -> None:
    train = added.add_parser("train", help="train the reasoner and the networks beside it; resumes")
    _add_domain(train)
    verbs.add_dry_run(train)
    add_config_flags(train, PRESETS, None)
    train.set_defaults(verb=_train)
    verbs.add_evaluate(added, SYSTEM)
    explain = added.add_parser("explain", help="the rounds of one answer beside the oracle's, and what carried it")
    explain.add_argument(
        "--graph", required=True, metavar="FILE|ID", help=".json or .parquet file of graphs, or an id in --data"
    )
    explain.add_argument("--checkpoint", type=Path, help="folder made by train, or a file in it [model of the domain]")
    explain.add_argument("--data", type=Path, help="folder that has the id [data of the domain]")
    explain.add_argument("--domain", choices=tuple(DATASETS), default=FIRST, help=f"for the defaults [{FIRST}]")
    explain.add_argument("--draw", type=Path, metavar="FILE", help="draw graph and rounds (.png .svg .pdf)")
    explain.add_argument("--json", type=Path, metavar="FILE", help="write the explanations as JSON")
    explain.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N [auto]")
    explain.set_defaults(verb=_explain)
    verbs.add_studies(added, SYSTEM, "many trainings: without one thing after the other, or a search", STUDIES)


def _add_domain(parser: argparse.ArgumentParser) -> None:
    """`--domain`, which chooses presets and data, and what `verbs.add_making` adds."""
    text = "whose presets and data are used [that of the data]"
    parser.add_argument("--domain", choices=tuple(DATASETS), help=text)
    verbs.add_making(parser, SYSTEM.datasets, "that of the domain in the data root")


def _train(arguments: argparse.Namespace) -> int:
    domain = _domain(arguments.domain, arguments.data)
    presets = PRESETS_BY_DOMAIN[domain]
    config = config_from(arguments, presets, verbs.preset(arguments, presets))
    inputs = Inputs.of(_data(arguments.data, domain))
    order: Order[Any] = Order(arguments.out.name, config, inputs, arguments.out, arguments.force)
    return verbs.train_order(SYSTEM, SYSTEM.stage(), order, arguments.dry_run)


def _domain(given: str | None, folders: Sequence[Path] | None) -> str:
    """The domain given, else that of the dataset that made the data; the first one for data of one's own.

    Raises InputError where the data are of a different domain than the one given.
    """
    makers = {f"nsmodels.datasets.{dataset}": domain for domain, dataset in DATASETS.items()}
    found = makers.get(artifact.maker_of(folders[0])) if folders else None
    if folders and given and found not in (None, given):
        raise InputError(
            f"--domain {given}: {folders[0]} holds data of the domain {found}; leave --domain out, or give data of "
            f"{DATASETS[given]}"
        )
    return given or found or FIRST


def _data(given: Sequence[Path] | None, domain: str) -> Path | dict[str, Path]:
    """The folders given, else that of the domain's asset; raises InputError with the command that makes it."""
    if given:
        return verbs.data_of(given)
    key = DATASETS[domain]
    folder = artifact.folder_of(key)
    artifact.read_manifest(folder, key)
    return {key: folder}


def _explain(arguments: argparse.Namespace) -> int:
    from nsmodels.systems.graph.explanation import drawing
    from nsmodels.systems.graph.explanation.explain import explain

    if arguments.draw:
        drawing.check_suffix(arguments.draw)
    file = Path(arguments.graph)
    read = [file] if file.suffix.lower() in (".json", ".parquet") else []
    artifact.require_files({"--draw": arguments.draw, "--json": arguments.json}, read)
    path = _checkpoint(arguments)
    reasoner = SYSTEM.load_checkpoint(path, arguments.device)
    graphs, rows = _asked(arguments, file if read else None, reasoner.vocabulary)
    found = [explain(reasoner, graphs, row, path.parent.name != LABELS_ONLY) for row in rows]
    print("\n\n".join(each.text() for each in found))
    if arguments.draw:
        drawing.draw(found[0], arguments.draw)
    if arguments.json:
        disk.write_json(arguments.json, [each.to_dict() for each in found])
    return 0


def _checkpoint(arguments: argparse.Namespace) -> Path:
    """The file given, or the best of the reasoner in the folder given, else in the domain's model."""
    key = f"{DATASETS[arguments.domain] if arguments.domain == 'chains' else arguments.domain}_model"
    folder = arguments.checkpoint or artifact.folder_of(key)
    if folder.is_file():
        return folder
    if not (folder / REASONER).is_dir():
        artifact.read_manifest(folder, None if arguments.checkpoint else key)
    return folder / REASONER / "best.pt"


def _asked(arguments: argparse.Namespace, file: Path | None, words: Any) -> tuple[Any, list[int]]:
    """The graphs of a file, all of them, or the one with an id in some split of the data."""
    from nsmodels.formats.graphs import files, local

    if file is not None:
        graphs = local.read(file, words, must_have_labels=False)
        return graphs, list(range(len(graphs)))
    folder = arguments.data or artifact.folder_of(DATASETS[arguments.domain])
    if not arguments.data:
        artifact.read_manifest(folder, DATASETS[arguments.domain])
    known: list[str] = []
    for split in sorted(files.splits(folder), key=lambda name: name != "test"):
        graphs = files.read_split(folder, split)
        ids = [str(each) for each in graphs.ids]
        if arguments.graph in ids:
            return graphs, [ids.index(arguments.graph)]
        known += ids
    raise InputError(f"--graph {arguments.graph}: not a file, and no graph of {folder}{near(arguments.graph, known)}")


if __name__ == "__main__":
    sys.exit(run(main))
