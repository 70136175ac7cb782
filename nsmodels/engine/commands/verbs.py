"""Verbs of the systems' command lines: `train`, `evaluate`, `study`, their flags, and the preset for this hardware."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from nsmodels.core import artifact, cli, disk
from nsmodels.core.artifact import Manifest
from nsmodels.core.cli import Parser, Presets, add_config_flags, config_from
from nsmodels.core.config import Given, add_flags, values_from_flags
from nsmodels.core.errors import InputError
from nsmodels.core.orders import Inputs, Order
from nsmodels.engine import machine
from nsmodels.engine.system import Stage, System
from nsmodels.evaluation.sealing import REPORT, TABLE

Verbs = Any  # what `add_subparsers` returns has no public name


def parser(
    system: System[Any, Any], more: Callable[[Verbs], None] = lambda verbs: None, has_train: bool = True
) -> Parser:
    """The parser of a system's command line: `train`, the verbs of `more`, and `evaluate` unless that is among them.

    Without `has_train` the verb `train` is among those of `more`.
    """
    made = Parser(prog=f"nsmodels {system.name}", description=sys.modules[system.package].__doc__)
    verbs = made.add_subparsers(metavar="verb", required=True)
    if has_train:
        add_train(verbs, system)
    more(verbs)
    if "evaluate" not in verbs.choices:
        add_evaluate(verbs, system)
    return made


def main(system: System[Any, Any], argv: Sequence[str] | None = None) -> int:
    """Command line of a system without verbs of its own."""
    return cli.main(lambda: parser(system), argv)


def add_making(parser: argparse.ArgumentParser, datasets: Sequence[str], default: str = "") -> None:
    """`--data`, `--out` and `--force`, for whatever is built from data; `default`: what replaces `--data`, if so."""
    text = f"folder of the data ({' or '.join(datasets)})" + (f" [{default}]" if default else "")
    parser.add_argument("--data", type=Path, nargs="+", required=not default, metavar="FOLDER", help=text)
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="folder of the result")
    parser.add_argument("--force", action="store_true", help="build it again though nothing changed")


def add_train(verbs: Verbs, system: System[Any, Any]) -> None:
    """The verb `train`: with the flags of its configuration, or with a word per stage where there are several."""
    if len(system.stages) == 1:
        _add_stage(verbs.add_parser("train", help=_networks(system.stages[0])), system, system.stages[0])
        return
    words = f"nsmodels {system.name} train --phase {system.stages[0].name} --help"
    about = {"help": "train a stage; resumes", "epilog": f"The flags of a stage: {words}, and --help-all for all."}
    train = verbs.add_parser("train", word_flag="--phase", **about)
    train.add_argument("--phase", choices=[stage.name for stage in system.stages], help="the stage, as its word")
    stages = train.add_subparsers(metavar="stage", required=True)
    for stage in system.stages:
        _add_stage(stages.add_parser(stage.name, help=_networks(stage)), system, stage)


def _networks(stage: Stage) -> str:
    return f"train {', '.join(stage.phases)}; resumes"


def _add_stage(parser: Parser, system: System[Any, Any], stage: Stage) -> None:
    add_making(parser, system.datasets)
    if stage.starts_from is not None:
        text = f"checkpoint of train {stage.starts_from}"
        parser.add_argument("--from", "--parent", dest="parent", type=Path, required=True, metavar="FOLDER", help=text)
    add_dry_run(parser)
    add_config_flags(parser, stage.presets, None)
    parser.set_defaults(verb=lambda arguments: train(system, stage, arguments))


def add_dry_run(parser: argparse.ArgumentParser) -> None:
    """`--dry-run`, for the verb `train`."""
    text = "print what would be reused and made, the time by a few steps of each network, and the disk; write nothing"
    parser.add_argument("--dry-run", action="store_true", help=text)


def add_evaluate(verbs: Verbs, system: System[Any, Any]) -> None:
    """The verb `evaluate`, with a flag for every field of the evaluation's configuration."""
    evaluate = verbs.add_parser("evaluate", help="score a checkpoint on a split, with baselines beside it")
    evaluate.add_argument("--checkpoint", type=Path, required=True, metavar="FOLDER", help="folder made by train")
    evaluate.add_argument("--data", type=Path, nargs="+", required=True, metavar="FOLDER", help="folder of the data")
    add_report(evaluate)
    add_flags(evaluate, type(default_evaluation(system)))
    evaluate.set_defaults(verb=lambda arguments: _evaluate(system, arguments))


def add_report(evaluate: argparse.ArgumentParser) -> None:
    """`--out` and `--json`, for the verb `evaluate`."""
    text = "also seal report, outcomes and figures; below the data root `nsmodels leaderboard` ranks them"
    evaluate.add_argument("--out", type=Path, metavar="FOLDER", help=text)
    evaluate.add_argument("--json", type=Path, metavar="FILE", help="also write the whole report")


class Study(NamedTuple):
    """Many trainings for one report.

    Attributes:
        function: of the library, "package.module:name"; it takes an `Order` and returns the manifest. Imported when it
            is needed, because it imports torch.
        presets: of its configuration.
        about: what it compares, in a line.
        reads: what it reads of a trained model, for the help of `--checkpoint`; empty: there is no such flag.
        is_verb: whether its name is a verb too, as it was before there was `study`.
    """

    function: str
    presets: Presets
    about: str
    reads: str = ""
    is_verb: bool = False


def add_studies(verbs: Verbs, system: System[Any, Any], about: str, studies: Mapping[str, Study]) -> None:
    """The verb `study`, with a word for each of them."""
    words = verbs.add_parser("study", help=about).add_subparsers(metavar="study", required=True)
    for name, each in studies.items():
        parsers = [words.add_parser(name, help=f"{each.about}; resumes")]
        if each.is_verb:
            parsers.append(verbs.add_parser(name, help=f"the same as study {name}"))
        for parser in parsers:
            _add_study(parser, system, each)


def _add_study(parser: Parser, system: System[Any, Any], study: Study) -> None:
    add_making(parser, system.datasets)
    if study.reads:
        parser.add_argument("--checkpoint", type=Path, metavar="FOLDER", help=f"trained model, {study.reads}")
    add_config_flags(parser, study.presets, None)
    parser.set_defaults(verb=partial(_study, system, study))


def _study(system: System[Any, Any], study: Study, arguments: argparse.Namespace) -> int:
    config = config_from(arguments, study.presets, preset(arguments, study.presets))
    model = getattr(arguments, "checkpoint", None)
    inputs = Inputs.of(data_of(arguments.data), model=model and ("checkpoint", model))
    system.check_datasets(inputs)
    order: Order[Any] = Order(arguments.out.name, config, inputs, arguments.out, arguments.force)
    module, _, name = study.function.partition(":")
    make = getattr(importlib.import_module(module), name)
    made = artifact.keeping(arguments.out, lambda: make(order))
    print((arguments.out / "table.txt").read_text(encoding="utf-8"))
    print_manifest(arguments.out, *made)
    return 0


def train(system: System[Any, Any], stage: Stage, arguments: argparse.Namespace) -> int:
    """Train a stage as the command line asks and print what was sealed."""
    parent = getattr(arguments, "parent", None)
    inputs = Inputs.of(data_of(arguments.data or ()), parent=parent and ("parent", parent))
    chosen = preset(arguments, stage.presets)

    def read(path: Path) -> Mapping[str, Any]:
        return system.read_config(path, stage, stage.presets[arguments.preset or chosen](), inputs)

    config = config_from(arguments, stage.presets, chosen, read)
    order = Order(arguments.out.name, config, inputs, arguments.out, arguments.force)
    return train_order(system, stage, order, arguments.dry_run)


def train_order(system: System[Any, Any], stage: Stage, order: Order[Any], is_dry: bool) -> int:
    """Train a stage and print what was sealed; with `is_dry` print what would be done instead."""
    if is_dry:
        from nsmodels.engine.commands import plan  # here: it imports torch

        for line in plan.lines(system, stage, order):
            print(line, flush=True)
        print("nothing was written")
        return 0
    print_manifest(order.folder, *artifact.keeping(order.folder, lambda: system.train(order, stage.name)))
    print(f"look: {order.folder}/figures, {order.folder}/history.json")
    if stage is system.stages[-1]:
        data = " ".join(str(folder) for folder in order.inputs.datasets.values())
        print(f"score: nsmodels {system.name} evaluate --checkpoint {order.folder} --data {data}")
    print(f"load: model = nsmodels.load('{order.folder}')")
    return 0


def data_of(folders: Sequence[Path]) -> Path | dict[str, Path]:
    """The data of a command line: one folder, or several by name. Raises InputError for two of one name."""
    if len(folders) == 1:
        return folders[0]
    named = {folder.resolve().name: folder for folder in folders}
    if len(named) < len(folders):
        raise InputError("--data: expected folders of different names")
    return named


def preset(arguments: argparse.Namespace, presets: Presets) -> str:
    """Name of the preset that fits the machine; printed when no other was given."""
    name, reason = machine.fitting_preset(presets)
    if name not in presets:
        name, reason = list(presets)[-1], "the largest"
    if arguments.preset is None:
        print(f"preset {name} ({reason})", file=sys.stderr)
    return name


def print_manifest(folder: Path, manifest: Manifest, is_kept: bool) -> None:
    """Print what was sealed in `folder`: fingerprint, source of the data and every figure; of what is kept a line."""
    if is_kept:
        print(
            f"{folder}: reused, built {manifest.created} from the same configuration, code, inputs and seed; "
            "--force makes it again"
        )
        return
    print(f"{folder}: sealed, fingerprint {manifest.fingerprint}, data {manifest.source}")
    for name, value in manifest.metrics.items():
        print(f"  {name}: {value:.4g}" if isinstance(value, float) else f"  {name}: {value}")


def default_evaluation(system: System[Any, Any]) -> Any:
    """The default configuration of a system's evaluation."""
    return next(iter(system.evaluation_presets.values()))()


def evaluation_order(
    system: System[Any, Any], checkpoint: Path, data: Path | dict[str, Path], values: dict[str, Any]
) -> Order[Any]:
    """The order to score a checkpoint with `values` over the default configuration; nothing is written for it.

    Raises InputError when model or data are not what was sealed, and for the model of a different system.
    """
    config = default_evaluation(system).with_given(Given(values))
    inputs = Inputs.of(data, model=("checkpoint", checkpoint))
    artifact.require_inputs(inputs)
    system.check_datasets(inputs)
    if (maker := artifact.maker_of(checkpoint)) and maker != system.package:
        raise InputError(
            f"{checkpoint}: holds no model of {system.name}, it was made by {maker}; give a model's folder"
        )
    return Order("evaluation", config, inputs, checkpoint)


def _evaluate(system: System[Any, Any], arguments: argparse.Namespace) -> int:
    artifact.require_files({"--json": arguments.json}, [*arguments.data, arguments.checkpoint])
    return evaluate(system, arguments, data_of(arguments.data), values_from_flags(arguments))


def evaluate(
    system: System[Any, Any], arguments: argparse.Namespace, data: Path | dict[str, Path], values: dict[str, Any]
) -> int:
    """Score a checkpoint as the flags of `add_report` ask: print the table, seal the evaluation, write the report."""
    order = evaluation_order(system, arguments.checkpoint, data, values)
    if arguments.out:
        report = _seal(system, replace(order, key=arguments.out.name, folder=arguments.out))
    else:
        result = system.score(order)
        print(result.table)
        report = result.report
    if arguments.json:
        disk.write_json(arguments.json, report)
    return 0


def _seal(system: System[Any, Any], order: Order[Any]) -> Mapping[str, Any]:
    """Seal an evaluation, or keep an equal one, and print its table and where it is ranked; returns the report."""
    # Inputs by the names of their folders, as of an asset: the leaderboard shows them.
    data = {folder.resolve().name: folder for folder in order.inputs.datasets.values()}
    inputs = Inputs.of(data, model=(order.model.resolve().name, order.model))
    made, is_kept = artifact.keeping(order.folder, lambda: system.evaluate(replace(order, inputs=inputs)))
    print((order.folder / TABLE).read_text(encoding="utf-8"))
    root = artifact.data_root()
    is_ranked = root in order.folder.resolve().parents
    place = "ranked by: nsmodels leaderboard" if is_ranked else f"outside of {root}, so nsmodels leaderboard lacks it"
    print(f"{order.folder}: {f'reused, built {made.created} from the same' if is_kept else 'sealed'}; {place}")
    return json.loads((order.folder / REPORT).read_text(encoding="utf-8"))
