"""Streaming over JSON files of records: one record in memory at a time, whatever the size of the file."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from nsmodels.core.artifact import require_listed
from nsmodels.core.errors import InputError
from nsmodels.core.progress import readable

PIECE = 1 << 20  # characters read at once
LONGEST_RECORD = 1 << 25  # beyond this many characters a record is not incomplete but broken
LONGEST_WORD = 16  # characters after an error in which an incomplete word or escape may be completed
LARGEST_FILE = 1 << 32  # bytes; the largest released file has less than a quarter of it
MAKE = "make the dataset first (nsmodels <dataset> prepare)"
ENCODE = "save it as UTF-8"
REMEDY = "correct it, or prepare the dataset again (nsmodels <dataset> prepare)"
SPACE = re.compile(r"[ \t\r\n]*")
KEY = re.compile(r'[ \t\r\n]*(,?)[ \t\r\n]*"([^"\\\x00-\x1f]*)"[ \t\r\n]*:[ \t\r\n]*(?=[{\["])')  # a usual one


@contextmanager
def opened(path: Path) -> Iterator[TextIO]:
    """A JSON file as UTF-8 text, with or without a byte-order mark.

    Raises `InputError` when it does not exist, is larger than any released file, or is read and turns out to be in a
    different encoding.
    """
    require_listed([path])
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise InputError(f"{path}: {readable(size)}, expected at most {readable(LARGEST_FILE)} of a released file")
        with path.open(encoding="utf-8-sig") as file:
            yield file
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{path}: no such file; {MAKE}") from None
    except IsADirectoryError:
        raise InputError(f"{path}: is a folder, expected a file") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 text (byte {error.start}: {error.reason}); {ENCODE}") from None


def read_records(file: TextIO, key: str, name: str, others: dict[str, Any] | None = None) -> Iterator[dict[str, Any]]:
    """The records of `{"info": …, key: [record, …]}`; raises `InputError` naming `name` for any other content.

    What the file has beside them, before or after, is put into `others`.
    """
    for part, value, _ in _parts(_Text(file, name), key):
        if part == key:
            yield value
        elif others is not None:
            others[part] = value


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


def read_entries(file: TextIO, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The members of `{id: record, …}`; raises `InputError` naming `name` for any other content."""
    for key, value, _ in _entries(_Text(file, name)):
        yield key, value


def cut_entries(
    file: TextIO, target: TextIO, keep: Callable[[str, dict[str, Any]], bool], name: str
) -> tuple[int, int]:
    """Copy such a file with the records that `keep` accepts, character by character.

    Returns the numbers of records copied and read. Raises as `read_entries`.
    """
    num_kept = num_all = 0
    target.write("{")
    for key, value, text in _entries(_Text(file, name)):
        num_all += 1
        if keep(key, value):
            target.write(f"{', ' if num_kept else ''}{json.dumps(key)}: {text}")
            num_kept += 1
    target.write("}")
    return num_kept, num_all


def _entries(text: _Text) -> Iterator[tuple[str, dict[str, Any], str]]:
    text.expect("{")
    names: set[str] = set()
    while (key := text.next_key(is_first=not names)) is not None:
        if key in names:
            raise InputError(f"{text.name}: has the id {key!r} twice, and one would hide the other; keep one of them")
        names.add(key)
        value, characters = text.value()
        if not isinstance(value, dict):
            raise InputError(f"{text.name}: id '{key}': expected an object, got {type(value).__name__}")
        yield key, value, characters
    text.expect_end()


def _parts(text: _Text, key: str) -> Iterator[tuple[str, Any, str]]:
    """(name, value, its characters) of each member of the outer object; of the list under `key`, of each record."""
    text.expect("{")
    is_found, names = False, set()
    for _ in _each(text, "}"):
        name, _ = text.value()
        if not isinstance(name, str) or name in names:
            raise InputError(
                f"{text.name}: has the field {name!r} twice, and one would hide the other; keep one of them"
            )
        names.add(name)
        text.expect(":")
        if name == key:
            is_found = True
            if not text.take("["):
                raise InputError(f"{text.name}: field '{key}': expected a list; is this a file of {key}?")
            for value, characters in _items(text, key):
                yield key, value, characters
        else:
            yield name, *text.value()
    text.expect_end()
    if not is_found:
        raise InputError(f"{text.name}: expected an object with a list '{key}'; is this a file of {key}?")


def _items(text: _Text, key: str) -> Iterator[tuple[Any, str]]:
    """Each record of a list whose opening bracket has been taken."""
    for number, _ in enumerate(_each(text, "]")):
        value, characters = text.value()
        if not isinstance(value, dict):
            raise InputError(f"{text.name}: {key}[{number}]: expected an object, got {type(value).__name__}")
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
        self._passed, self._line, self._line_start = 0, 1, 0
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
                if self._is_broken(error):
                    raise self._broken(error.msg, error.pos) from None
            except RecursionError:
                raise self._broken("nested too deeply") from None
            except ValueError:  # of the conversion, not of the grammar
                raise self._broken("a number of thousands of digits") from None
            if not self._more():
                raise self._broken("the file ends inside a value", len(self._window))

    def next_key(self, is_first: bool) -> str | None:
        """The next key of an object whose opening brace was taken, up to its value; None at the closing brace."""
        found = KEY.match(self._window, self._place)
        if found and bool(found[1]) != is_first:
            self._place = found.end()
            return found[2]
        if self.take("}"):
            return None
        if not is_first:
            self.expect(",")
        key, _ = self.value()
        if not isinstance(key, str):
            raise self._broken(f"expected a name, found {key!r}")
        self.expect(":")
        return key

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
            raise self._broken(f"expected '{sign}', found {found!r}" if found else "the file ends inside a value")

    def expect_end(self) -> None:
        """Raise unless nothing but space follows."""
        self._skip_space()
        if self._place < len(self._window):
            raise self._broken(f"expected the end of the file, found {self._window[self._place : self._place + 20]!r}")

    def _is_broken(self, error: json.JSONDecodeError) -> bool:
        """Whether a value cannot be decoded with more characters either."""
        if len(self._window) - self._place > LONGEST_RECORD:
            return True
        return not error.msg.startswith("Unterminated") and error.pos + LONGEST_WORD < len(self._window)

    def _skip_space(self) -> None:
        if self._window[self._place : self._place + 1] > " ":
            return
        skipped = 0
        while True:
            end = SPACE.match(self._window, self._place).end()  # pyright: ignore[reportOptionalMemberAccess]
            skipped, self._place = skipped + end - self._place, end
            if skipped > LONGEST_RECORD:
                raise self._broken("millions of blanks")
            if self._place < len(self._window) or not self._more():
                return

    def _more(self) -> bool:
        piece = self._file.read(max(PIECE, len(self._window) - self._place))
        self._pass(self._place)
        self._window, self._place = self._window[self._place :] + piece, 0
        return bool(piece)

    def _broken(self, why: str, place: int | None = None) -> InputError:
        self._pass(self._place if place is None else place)
        column = self._passed - self._line_start + 1
        return InputError(
            f"{self.name}: broken or cut off at line {self._line} column {column} (character {self._passed}: {why}); "
            f"{REMEDY}"
        )

    def _pass(self, place: int) -> None:
        """Count the lines of the window up to `place`, which leaves it."""
        newline = self._window.rfind("\n", 0, place)
        if newline >= 0:
            self._line += self._window.count("\n", 0, place)
            self._line_start = self._passed + newline + 1
        self._passed += place
