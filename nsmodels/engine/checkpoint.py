"""Checkpoint files: atomic writes, reads that execute no code, one-line errors for a mismatch."""

from __future__ import annotations

import contextlib
import json
import os
import pickletools
import re
import shutil
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import nn

from nsmodels.core.disk import FULL
from nsmodels.core.errors import InputError
from nsmodels.core.sealed import verification
from nsmodels.engine.config import FURTHER
from nsmodels.engine.runtime import resolve_device

LAST = "last.pt"
BEST = "best.pt"
WEIGHTS = ("model_state_dict", "training_state_dict")  # the latter where the former is an average
_REPLACE = "restore a copy of it, use an earlier checkpoint, or train again into a different folder"
MOST_BYTES = 1 << 26  # of a file outside the zip format that is searched for the names of functions
# What torch writes for tensors and parameters: constructors, storages, data types.
TENSORS = re.compile(
    r"collections\.OrderedDict|torch\._utils\._rebuild_\w+|torch\.(storage|nn\.parameter|_tensor)\.\w+"
    r"|torch\.(\w*Storage|Size|device|bool|bfloat16|(float|complex|u?int)\d\w*)"
)


def write_atomically(path: Path, write: Callable[[BinaryIO], Any], links: tuple[Path, ...] = ()) -> None:
    """Write `path` completely or not at all; `links` become additional names of the same content, before `path` does.

    Raises `InputError` when the disk is full or not writable; the previous file is then intact.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")  # fixed name: one writer per folder
    try:
        with part.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        for link in links:
            _link(part, link)
        part.replace(path)
        _sync_folder(path.parent)
    except (OSError, RuntimeError) as error:
        cause = _os_error(error)
        if cause is None:
            raise
        raise InputError(f"{path}: {_write_advice(cause, path)}") from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def _link(source: Path, target: Path) -> None:
    """Add a second name for `source`: a hard link (no bytes), or a copy on a file system without hard links."""
    part = target.with_name(f".{target.name}.link")
    part.unlink(missing_ok=True)
    try:
        part.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, part)
    try:
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _os_error(error: BaseException) -> OSError | None:
    """The OSError in the chain of `error`: torch's zip writer wraps it in a RuntimeError."""
    chain: BaseException | None = error
    while chain is not None:
        if isinstance(chain, OSError):
            return chain
        chain = chain.__cause__ or chain.__context__
    return None


def _write_advice(error: OSError, path: Path) -> str:
    if error.errno not in FULL:
        return f"cannot be written ({error.strerror}); the previous file is intact"
    free = shutil.disk_usage(path.parent).free / 2**20
    return (
        f"the disk is full ({error.strerror}, {free:.0f} MiB free); the previous checkpoint is intact: "
        "free some space and run again to resume"
    )


def save(path: Path, payload: dict[str, Any], links: tuple[Path, ...] = ()) -> None:
    """Save a checkpoint atomically; `payload` may contain only what `weights_only` loading accepts.

    Raises `InputError` as `write_atomically` does.
    """
    write_atomically(path, lambda file: torch.save(payload, file), links)


def save_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON, atomically; raise `ValueError` for a number that is not finite."""
    text = json.dumps(value, indent=1, allow_nan=False) + "\n"
    write_atomically(path, lambda file: file.write(text.encode()))


def load(path: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Read a checkpoint onto `device`.

    Raises `InputError` when it is missing, damaged, of another project, not what was sealed in its artifact, or has a
    weight that is not finite.
    """
    path = Path(path)
    try:
        with path.open("rb") as stream, warnings.catch_warnings(action="ignore"):  # about foreign files, refused below
            if not verification.require_same(path, stream):
                _require_whole(path, stream)
            payload = torch.load(stream, map_location=device, weights_only=True)
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{path}: no such checkpoint; {_other_folder(path)}") from None
    except (InputError, MemoryError):
        raise
    except Exception as error:  # of any kind: the content decides where torch's reader stumbles
        if refusal := _foreign(path, str(error)):
            raise InputError(f"{path}: not a checkpoint of this project, it {refusal}; it was not loaded") from None
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise InputError(f"{path}: not a readable checkpoint ({reason}); {_REPLACE}") from None
    if not isinstance(payload, dict) or "model_state_dict" not in payload:
        raise InputError(f"{path}: not a checkpoint of this project (it has no 'model_state_dict')")
    for name in WEIGHTS:
        _require_finite(payload.get(name, {}), path)
    return payload


def _other_folder(path: Path) -> str:
    """What to do about a checkpoint that is not there: often a folder or file inside of a model was given."""
    given = path.parent.parent
    if outer := verification.artifact_of(given):
        return f"{given} is a part of the model {outer}; give that folder"
    return f"{given} is a file; give the folder of the model" if given.is_file() else "train first, or check the path"


def _require_whole(path: Path, stream: BinaryIO) -> None:
    """Raise `InputError` for a checkpoint outside of an artifact of which a part differs from its CRC-32."""
    if zipfile.is_zipfile(stream):
        with zipfile.ZipFile(stream) as archive:
            if damaged := archive.testzip():
                raise InputError(f"{path}: damaged, '{damaged}' in it differs from its checksum; {_REPLACE}")
    stream.seek(0)


def _require_finite(state: Mapping[str, Any], path: Path) -> None:
    for name, value in state.items():
        if isinstance(value, torch.Tensor) and value.is_floating_point() and not bool(torch.isfinite(value).all()):
            number = int((~torch.isfinite(value)).sum())
            raise InputError(
                f"{path}: weight '{name}': {number:,} of {value.numel():,} numbers are not finite; {_REPLACE}"
            )


def _foreign(path: Path, message: str) -> str | None:
    """What a file is that torch refused with `message`, which is about its own versions; None if it is only damaged."""
    if names := executed_by(path):
        return f"contains code that would be executed ({', '.join(names)})"
    for kind in ("TorchScript", ".tar"):
        if f"{kind} " in message and any(_head(path)):  # a file of zeros counts as an empty archive
            return f"is an archive in the {kind.lstrip('.')} format, which may contain code"
    if "file in archive is not in a subdirectory" in message or "file not found" in message:
        return "is a zip archive that torch.save did not write"
    return "is no file of torch.save" if "weights_only" in message else None


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(512)


def executed_by(path: Path, most: int = 3) -> list[str]:
    """Functions and classes that unpickling a file would call ("posix.system"), at most `most`; nothing is executed.

    Those that torch itself writes for tensors are left out.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            pickles = [archive.read(name) for name in archive.namelist() if name.endswith("data.pkl")]
    except (OSError, ValueError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error):
        pickles = [path.read_bytes()] if path.is_file() and path.stat().st_size < MOST_BYTES else []
    names = [name for content in pickles for name in _imported(BytesIO(content)) if not TENSORS.fullmatch(name)]
    return list(dict.fromkeys(names))[:most]


def _imported(stream: BytesIO) -> Iterator[str]:
    """Dotted names of what the pickles in a stream import, as far as they can be read."""
    strings: list[str] = []
    with contextlib.suppress(Exception):  # an opcode that does not exist, or the end of the file
        while True:
            for code, argument, _ in pickletools.genops(stream):
                if code.name in ("GLOBAL", "INST"):
                    yield str(argument).replace(" ", ".")
                elif code.name == "STACK_GLOBAL" and len(strings) > 1:
                    yield ".".join(strings[-2:])
                elif isinstance(argument, str):
                    strings.append(argument)


def settings_of(payload: Mapping[str, Any], name: str, where: str) -> Any:
    """The value that a task saved as `name` in the checkpoint's `config`; raise `InputError` when there is none."""
    try:
        return payload["config"][name]
    except (KeyError, TypeError):
        raise InputError(f"{where}: a checkpoint of a different network (its configuration has no '{name}')") from None


def load_weights(model: nn.Module, path: Path, allow_missing: bool = False) -> dict[str, Any]:
    """Load a checkpoint's weights into `model` and return the checkpoint.

    `allow_missing`: the model may have parameters that the checkpoint lacks (a later phase adds modules). A weight
    that the model lacks or has in a different shape is always an error.
    Raises `InputError` for a file that cannot be read, and for weights that do not fit.
    """
    payload = load(path)
    fill(model, payload["model_state_dict"], str(path), allow_missing)
    return payload


def fill(model: nn.Module, state: dict[str, Any], where: str, allow_missing: bool = False) -> None:
    """`load_state_dict` that raises one `InputError` for a mismatch, with the first keys and shapes."""
    problems = list(_mismatches(model.state_dict(), state, allow_missing))
    if problems:
        more = f" and {len(problems) - 3} more" if len(problems) > 3 else ""
        raise InputError(
            f"{where}: weights of a different architecture: {'; '.join(problems[:3])}{more}; "
            "build the model with the configuration saved in the checkpoint"
        )
    model.load_state_dict(state, strict=not allow_missing)


def restore(path: Path, name: str, make: Callable[..., nn.Module], device: str = "auto") -> nn.Module:
    """The network in a checkpoint file, in evaluation mode: `make(**settings)`, where settings were saved under `name`.

    Raises InputError for a broken file, and for weights that do not fit.
    """
    payload = load(path)
    network = make(**settings_of(payload, name, str(path)))
    fill(network, payload["model_state_dict"], str(path))
    return network.to(resolve_device(device)).eval()


def _mismatches(wanted: dict[str, Any], given: dict[str, Any], allow_missing: bool) -> Iterator[str]:
    for key in wanted:
        if key not in given and not allow_missing:
            yield f"'{key}' is missing"
    for key, value in given.items():
        if key not in wanted:
            yield f"'{key}' is not in the model"
        elif getattr(value, "shape", None) != getattr(wanted[key], "shape", None):
            yield f"'{key}' has shape {tuple(value.shape)}, the model {tuple(wanted[key].shape)}"


def remove_unfinished(folder: Path) -> None:
    """Remove the incomplete files of a killed process from `folder`."""
    for pattern in (".*.part", ".*.link"):
        for path in folder.glob(pattern):
            path.unlink(missing_ok=True)


def prune(folder: Path, keep: int) -> None:
    """Remove all but the newest `keep` interval checkpoints (epoch_0005.pt, ...)."""
    for path in sorted(folder.glob(FURTHER), key=lambda path: int(path.stem.removeprefix("epoch_")))[:-keep]:
        path.unlink(missing_ok=True)
