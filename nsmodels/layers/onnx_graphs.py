"""Networks as ONNX graphs, for runtimes without torch."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nsmodels.core.artifact import require_files
from nsmodels.core.disk import atomically
from nsmodels.core.errors import InputError

NEEDED = ("onnx", "onnxscript")
EXPORTERS = ("torch.onnx", "onnxscript", "onnx_ir")  # names of loggers
log = logging.getLogger(__name__)


def check(path: Path) -> None:
    """Raise `InputError` when an export to `path` is impossible, before anything is loaded."""
    if Path(path).suffix != ".onnx":
        raise InputError(f"{path}: expected a file name that ends in .onnx")
    require_files({"export to": Path(path)}, makes_folders=True)
    require_exporter()


def require_exporter(flag: str = "") -> None:
    """Raise `InputError` unless the packages that write graphs are installed; `flag` is that which does without."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        advice = "install the extra: pip install -e '.[export]'" + (f", or give {flag}" if flag else "")
        raise InputError(f"export needs the package {missing[0]}; {advice}")


def write(
    network: nn.Module, example: Tensor, path: Path, outputs: Sequence[str], free: Mapping[int, Any], name: str
) -> None:
    """Write a network of one input, called `name`, to `path`, whole or not at all.

    `example`: an input; `free`: those of its dimensions that may have other sizes, as `torch.export.Dim`s; `outputs`:
    names of what the network returns.
    """
    log.info("tracing the network, which takes some seconds")
    with _silenced(), torch.no_grad():
        program: Any = torch.onnx.export(
            network.eval(),
            (example,),
            input_names=[name],
            output_names=list(outputs),
            dynamic_shapes={name: dict(free)},
            dynamo=True,
            verbose=False,
        )
    log.info("writing %s", path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomically(path) as beside:
        program.save(str(beside))


@contextlib.contextmanager
def _silenced() -> Iterator[None]:
    """Suppress the exporter's output: progress, and warnings about deprecated calls within it."""
    loggers = [logging.getLogger(name) for name in EXPORTERS]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            for kind in (DeprecationWarning, FutureWarning):
                warnings.filterwarnings("ignore", category=kind, module=r"torch|onnx|onnxscript|copyreg")
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
