"""Text files of other people: their lines, and faults with file, line and column."""

from __future__ import annotations

from pathlib import Path

from nsmodels.core.errors import InputError


def lines_of(path: Path, kind: str) -> list[str]:
    """Lines of a UTF-8 file, without byte-order mark and whatever its line ends; raises `InputError` otherwise."""
    try:
        return path.read_text(encoding="utf-8").removeprefix("\ufeff").split("\n")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: byte {error.start} is not text; expected a {kind} file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); give an existing file") from None


def quoted(text: str) -> str:
    """A short quotation of `text`."""
    return repr(text if len(text) <= 30 else f"{text[:30]}…") if text else "nothing"


def fault(path: Path, line: int, column: int, what: str) -> InputError:
    """The error at a place of a file, counted from 1."""
    return InputError(f"{path}: line {line} column {column}: {what}")
