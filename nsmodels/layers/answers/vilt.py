"""ViLT (Kim et al. 2021), fine-tuned from a folder on this machine; needs the extra `transformers`.

Its image is resized to one size for all, whatever its shape; in the publication its sides keep their ratio.

Shapes: b questions, s parts of words, i distinct images, h × w pixels, a answers.
"""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, final

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn

from nsmodels.core import disk
from nsmodels.core.config import fingerprint
from nsmodels.core.errors import InputError
from nsmodels.engine import checkpoint
from nsmodels.layers.vision.layout import shortened

KIND = "vilt"
SETTINGS, TOKENIZERS = "config.json", ("tokenizer.json", "vocab.txt")
WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")


def require(folder: str) -> Path:
    """The folder of a ViLT checkpoint. Raises `InputError` without the extra, or where it is none."""
    path = Path(folder)
    if importlib.util.find_spec("transformers") is None:
        raise InputError(
            "vilt: needs the package transformers; install the extra: pip install 'nsmodels[transformers]'"
        )
    try:
        kind = json.loads((path / SETTINGS).read_text(encoding="utf-8")).get("model_type")
    except (OSError, ValueError, AttributeError):
        raise InputError(
            f"vilt.checkpoint: {path} holds no readable {SETTINGS}; give a folder with a ViLT checkpoint"
        ) from None
    if kind != KIND:
        raise InputError(f"vilt.checkpoint: {path} holds a model of type '{kind}'; expected '{KIND}'")
    if not any((path / name).is_file() for name in WEIGHTS):
        raise InputError(f"vilt.checkpoint: {path} holds no weights; expected {WEIGHTS[0]} or {WEIGHTS[2]}")
    if not any((path / name).is_file() for name in TOKENIZERS):  # transformers would make an empty one
        raise InputError(f"vilt.checkpoint: {path} holds no tokenizer; expected {' or '.join(TOKENIZERS)}")
    return path


def checksum(folder: Path) -> str:
    """Of the files of a checkpoint that decide what is trained from it."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return fingerprint([[path.name, disk.sha256_of(path)] for path in files])


def quiet() -> None:
    """Keep transformers from the network, and from reports about weights that are left out."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()


@final
class Tokens:
    """Parts of words as a checkpoint numbers them.

    Args:
        document: the tokenizer as JSON.
        most: longest question; of a longer one the rest is cut.
    """

    def __init__(self, document: str, most: int) -> None:
        from tokenizers import Tokenizer

        self.document, self.most = document, most
        self._tokenizer = Tokenizer.from_str(document)
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(most)

    @classmethod
    def of(cls, folder: Path, most: int) -> Tokens:
        """Those of a checkpoint folder. Raises `InputError` where it has none."""
        quiet()
        from transformers import AutoTokenizer

        try:
            found: Any = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
            return cls(found.backend_tokenizer.to_str(), most)
        except Exception as error:
            raise InputError(f"vilt.checkpoint: tokenizer of {folder}: unreadable ({shortened(error)})") from None

    def numbers(self, text: str) -> list[int]:
        """Numbers of the parts of a question, with the signs of beginning and end."""
        return self._tokenizer.encode(text).ids


@final
class ViltClassifier(nn.Module):
    """The transformer of ViLT over parts of words and patches, and a head for answers.

    Args:
        settings: of the transformer, as its `config.json`.
        answers: in the order of their numbers.
        tokens: of questions.
        folder: of the checkpoint that it starts from; None: random weights.

    Raises `InputError` for settings or weights that do not fit.
    """

    def __init__(
        self, settings: Mapping[str, Any], answers: Iterable[str], tokens: Tokens, folder: Path | None = None
    ) -> None:
        super().__init__()
        quiet()
        from transformers import ViltConfig, ViltModel

        self.answers, self.tokens = tuple(answers), tokens
        try:
            shape = ViltConfig.from_dict(dict(settings))
            given = {"local_files_only": True, "config": shape}
            self.transformer = ViltModel.from_pretrained(str(folder), **given) if folder else ViltModel(shape)
        except Exception as error:
            raise InputError(f"vilt.checkpoint: {folder or 'settings'}: cannot be used ({shortened(error)})") from None
        self.settings, width = shape.to_dict(), shape.hidden_size
        self.answerer = nn.Sequential(
            nn.Linear(width, 2 * width), nn.LayerNorm(2 * width), nn.GELU(), nn.Linear(2 * width, len(self.answers))
        )

    @classmethod
    def from_checkpoint(cls, payload: Mapping[str, Any], where: str = "checkpoint") -> ViltClassifier:
        """The network of a checkpoint as returned by `engine.checkpoint.load`, in evaluation mode.

        Raises `InputError` naming `where` when configuration or weights do not fit.
        """
        names = ("transformer", "answers", "tokenizer", "max_words")
        settings, answers, document, most = (checkpoint.settings_of(payload, name, where) for name in names)
        model = cls(settings, answers, Tokens(document, most))
        checkpoint.fill(model, payload["model_state_dict"], where)
        return model.eval()

    def to_settings(self) -> dict[str, Any]:
        """What rebuilds it from its checkpoint, as plain values."""
        known = {"answers": list(self.answers), "tokenizer": self.tokens.document, "max_words": self.tokens.most}
        return {"transformer": json.loads(json.dumps(self.settings, default=str)), **known}

    def forward(
        self, words: Int[Tensor, "b s"], lengths: Int[Tensor, " b"], images: UInt8[Tensor, "i h w 3"], places: Tensor
    ) -> Float[Tensor, "b a"]:
        """Logits of the answers; `places` (b,) is the index of each question's image among `images`."""
        pixels = (images.permute(0, 3, 1, 2).float() / 127.5 - 1)[places]  # ViLT's mean and deviation are 0.5
        mask = torch.arange(words.shape[1], device=words.device) < lengths[:, None]
        read = self.transformer(input_ids=words, attention_mask=mask.long(), pixel_values=pixels)
        return self.answerer(read.pooler_output)


def read_settings(folder: Path) -> dict[str, Any]:
    """The settings of the transformer in a folder; all patches are used, none are drawn."""
    return {**json.loads((folder / SETTINGS).read_text(encoding="utf-8")), "max_image_length": -1}
