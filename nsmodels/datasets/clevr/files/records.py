"""Streaming over CLEVR's JSON files: one record in memory at a time, whatever the size of the file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, TextIO

from nsmodels.core.errors import InputError

PIECE = 1 << 20  # characters read at once
LONGEST_RECORD = 1 << 25  # beyond this many characters a record is not incomplete but broken
SPACE = " \t\r\n"


def read_records(file: TextIO, key: str, name: str) -> Iterator[dict[str, Any]]:
    """The records of `{"info": …, key: [record, …]}`; raises `InputError` naming `name` for any other content."""
    for part, value, _ in _parts(_Text(file, name), key):
        if part == key:
            yield value


def read_info(file: TextIO, key: str, name: str) -> dict[str, Any]:
    """The `info` block of such a file; empty when there is none before the records. Raises as `read_records`."""
    for part, value, _ in _parts(_Text(file, name), key):
        if part == "info" and isinstance(value, dict):
            return value
        if part == key:
            return {}
    return {}


def cut_records(
    file: TextIO, target: TextIO, key: str, keep: Callable[[dict[str, Any]], bool], name: str
) -> tuple[int, int]:
    """Copy such a file with the records that `keep` accepts, character by character.

    Returns the numbers of records copied and read. Raises as `read_records`.
    """
    num_kept = num_all = 0
    before, separator, is_open = "{", "", False
    for part, value, text in _parts(_Text(file, name), key):
        if part != key:
            target.write(f'{"]" if is_open else ""}{before}"{part}": {text}')
            before, is_open = ", ", False
            continue
        if not is_open:
            target.write(f'{before}"{key}": [')
            before, is_open, separator = ", ", True, ""
        num_all += 1
        if keep(value):
            num_kept += 1
            target.write(separator + text)
            separator = ", "
    target.write("]}" if is_open else "}")
    return num_kept, num_all


def _parts(text: _Text, key: str) -> Iterator[tuple[str, Any, str]]:
    """(name, value, its characters) of each member of the outer object; of the list under `key`, of each record."""
    text.expect("{")
    is_found = False
    for _ in _each(text, "}"):
        name, _ = text.value()
        text.expect(":")
        if name == key:
            is_found = True
            for value, characters in _items(text):
                yield key, value, characters
        else:
            yield name, *text.value()
    if not is_found:
        raise InputError(f"{text.name}: has no list '{key}'; expected a file in CLEVR's format")


def _items(text: _Text) -> Iterator[tuple[Any, str]]:
    text.expect("[")
    for _ in _each(text, "]"):
        value, characters = text.value()
        if not isinstance(value, dict):
            raise InputError(f"{text.name}: expected a list of records, got {characters[:40]}")
        yield value, characters


def _each(text: _Text, closing: str) -> Iterator[None]:
    """Yield once for each member up to the `closing` sign; members are separated by commas."""
    if text.take(closing):
        return
    yield
    while not text.take(closing):
        text.expect(",")
        yield


class _Text:
    """A window on a text file, moved forward by what is decoded."""

    def __init__(self, file: TextIO, name: str) -> None:
        self.name, self._file, self._window, self._place = name, file, "", 0
        self._decode = json.JSONDecoder().raw_decode

    def value(self) -> tuple[Any, str]:
        """The next JSON value and its characters."""
        self._skip_space()
        while True:
            try:
                value, end = self._decode(self._window, self._place)
                if end < len(self._window):  # else a number may continue beyond the window
                    start, self._place = self._place, end
                    return value, self._window[start:end]
            except json.JSONDecodeError as error:
                if len(self._window) - self._place > LONGEST_RECORD:
                    raise self._broken(error.msg) from None
            if not self._more():
                raise self._broken("the file ends inside a value; fetch it again")

    def take(self, sign: str) -> bool:
        """Move past `sign` if it is next; returns whether it was."""
        self._skip_space()
        is_next = self._window.startswith(sign, self._place)
        self._place += is_next
        return is_next

    def expect(self, sign: str) -> None:
        """Move past `sign`, which must be next."""
        if not self.take(sign):
            found = self._window[self._place : self._place + 20]
            raise self._broken(f"expected '{sign}', found '{found}'")

    def _skip_space(self) -> None:
        while True:
            while self._place < len(self._window) and self._window[self._place] in SPACE:
                self._place += 1
            if self._place < len(self._window) or not self._more():
                return

    def _more(self) -> bool:
        piece = self._file.read(max(PIECE, len(self._window) - self._place))
        self._window, self._place = self._window[self._place :] + piece, 0
        return bool(piece)

    def _broken(self, why: str) -> InputError:
        return InputError(f"{self.name}: not the JSON of a CLEVR release ({why})")
