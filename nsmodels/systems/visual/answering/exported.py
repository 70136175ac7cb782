"""An exported reasoner: perception as an ONNX graph, the parser as arrays. It starts in a second, without torch."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any, final

import numpy as np

from nsmodels.core import artifact
from nsmodels.core.errors import InputError
from nsmodels.core.sealed.verification import artifact_of
from nsmodels.systems.visual.answering.calibration import Calibration
from nsmodels.systems.visual.answering.decoder import NumpyParser
from nsmodels.systems.visual.answering.reasoner import Reasoner
from nsmodels.systems.visual.language.confidence import Parse
from nsmodels.systems.visual.perception.readout import INPUT, OUTPUTS, Readout

GRAPH, WEIGHTS, SETTINGS = "perception.onnx", "parser.npz", "settings.json"
EXPORTED = "exported"  # folder in a checkpoint


def is_exported(folder: Path) -> bool:
    """Whether a folder was made by export, and not by train."""
    return (folder / GRAPH).is_file()


def exported_in(checkpoint: Path) -> Path | None:
    """The folder to load in place of a checkpoint, to start faster; None where it or a package is missing."""
    folder = checkpoint if is_exported(checkpoint) else checkpoint / EXPORTED
    return folder if is_exported(folder) and importlib.util.find_spec("onnxruntime") else None


@final
class ExportedReasoner(Reasoner):
    """The reasoner in a folder made by `VisualReasoner.export`, on the CPU."""

    def __init__(self, session: Any, parser: NumpyParser, calibration: Calibration) -> None:
        self.session, self.parser, self.calibration = session, parser, calibration
        _, height, width, _ = session.get_inputs()[0].shape
        self._shape = (int(width), int(height))

    @classmethod
    def load(cls, folder: Path, num_threads: int = 1) -> ExportedReasoner:
        """The model of a folder; raise `InputError` when it is not sealed or changed, and when a package is missing."""
        artifact.require_intact(artifact_of(folder / GRAPH) or folder)
        if importlib.util.find_spec("onnxruntime") is None:
            raise InputError(f"{folder}: needs the package onnxruntime; install the extra: pip install -e '.[export]'")
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = num_threads
        session = onnxruntime.InferenceSession(folder / GRAPH, options, providers=["CPUExecutionProvider"])
        settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
        with np.load(folder / WEIGHTS, allow_pickle=False) as weights:
            parser = NumpyParser(dict(weights), **settings)
        return cls(session, parser, Calibration.read(folder))

    @property
    def image_shape(self) -> tuple[int, int]:
        """Width and height of the network's input in pixels."""
        return self._shape

    def read_out(self, images: np.ndarray) -> Readout:
        """What perception reads from images, uint8 (b, h, w, 3) at `image_shape`."""
        return Readout.from_arrays(self.session.run(list(OUTPUTS), {INPUT: images}))

    def parse(self, questions: list[str]) -> list[Parse]:
        """The program of each question; raise `InputError` for one without words."""
        return self.parser.parse(questions)
