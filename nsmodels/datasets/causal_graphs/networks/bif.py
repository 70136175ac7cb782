"""Reader of Bayesian networks in the interchange format BIF, as the Bayesian network repository has them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

import numpy as np
from numpy.typing import NDArray

from nsmodels.core.errors import InputError

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.S)
_VARIABLE = re.compile(r"\bvariable\s+(\S+)\s*\{\s*type\s+discrete\s*\[\s*(\d+)\s*\]\s*\{([^}]*)\}\s*;[^}]*\}")
_PROBABILITY = re.compile(r"\bprobability\s*\(\s*([^|)]+?)\s*(?:\|([^)]*))?\)\s*\{([^}]*)\}")
_ROW = re.compile(r"\(([^)]*)\)([^;]*);|\b(table|default)\b([^;]*);")
ROUNDING = 0.01  # by which the probabilities of a row, rounded in the files, may miss 1


@dataclass(frozen=True)
class Network:
    """A Bayesian network: names and states of its variables, parents, and the text of its tables.

    Attributes:
        name: of the network, as in messages and ids.
        states: names of the states by variable, in the order of the file.
        parents: by variable, in the order of its table.
        tables: text of each table; `table` reads one.
    """

    name: str
    states: dict[str, tuple[str, ...]]
    parents: dict[str, tuple[str, ...]]
    tables: dict[str, str]

    @property
    def variables(self) -> tuple[str, ...]:
        """All variables, in the order of the file."""
        return tuple(self.states)

    def table(self, variable: str) -> NDArray[np.float64]:
        """P(variable | parents), an axis for each parent and the variable's as the last.

        Raises InputError for a table that is not complete, naming network and variable.
        """
        shape = tuple(len(self.states[parent]) for parent in self.parents[variable])
        found = np.full((*shape, len(self.states[variable])), np.nan)
        for states, values, word, flat in _ROW.findall(self.tables[variable]):
            if word == "table":
                # Of a table without rows the first axis is the variable's, the last one varies fastest.
                numbers = self._numbers(variable, flat, found.size)
                found[:] = np.moveaxis(numbers.reshape(found.shape[-1:] + shape), 0, -1)
            else:
                place = () if word else self._place(variable, _names(states))
                numbers = self._numbers(variable, flat if word else values, found.shape[-1])
                found[place] = np.where(np.isnan(found[place]), numbers, found[place]) if word else numbers
        if np.isnan(found).any():
            raise self._error(
                variable, f"{np.isnan(found[..., 0]).sum()} rows are missing; expected {math.prod(shape)}"
            )
        total = found.sum(axis=-1, keepdims=True)
        if (np.abs(total - 1) > ROUNDING).any() or (found < 0).any():
            raise self._error(variable, "a row does not sum to 1; expected probabilities")
        return found / total

    def _place(self, variable: str, states: list[str]) -> tuple[int, ...]:
        parents = self.parents[variable]
        if len(states) != len(parents):
            raise self._error(
                variable, f"row ({', '.join(states)}): expected a state of each of {len(parents)} parents"
            )
        for parent, state in zip(parents, states, strict=True):
            if state not in self.states[parent]:
                raise self._error(variable, f"row ({', '.join(states)}): '{state}' is no state of {parent}")
        return tuple(self.states[parent].index(state) for parent, state in zip(parents, states, strict=True))

    def _numbers(self, variable: str, text: str, size: int) -> NDArray[np.float64]:
        try:
            numbers = np.array([float(word) for word in _names(text)])
        except ValueError:
            raise self._error(variable, f"'{text.strip()[:40]}' is no list of numbers") from None
        if len(numbers) != size:
            raise self._error(variable, f"{len(numbers)} probabilities; expected {size}")
        return numbers

    def _error(self, variable: str, fault: str) -> InputError:
        return InputError(f"network {self.name}, table of {variable}: {fault}")


def read(name: str, content: str) -> Network:
    """The network in the text of a .bif file; raises InputError naming network and variable."""
    text = _COMMENT.sub("", content)
    states: dict[str, tuple[str, ...]] = {}
    for variable, number, values in _VARIABLE.findall(text):
        if variable in states:
            raise InputError(f"network {name}, variable {variable}: declared twice; expected once")
        states[variable] = tuple(_names(values))
        if len(states[variable]) != int(number):
            raise InputError(
                f"network {name}, variable {variable}: {len(states[variable])} states; expected {number}, as declared"
            )
    if not states:
        raise InputError(f"network {name}: no variable inside; expected a Bayesian network in the format BIF")
    parents, tables = {}, {}
    for variable, above, table in _PROBABILITY.findall(text):
        if variable in tables:
            raise InputError(f"network {name}, table of {variable}: a second one; expected one")
        parents[variable], tables[variable] = tuple(_names(above)), table
        for word in (variable, *parents[variable]):
            if word not in states:
                raise InputError(f"network {name}, table of {variable}: unknown variable '{word}'")
    for variable in states:
        if variable not in tables:
            raise InputError(f"network {name}, variable {variable}: its table is missing; expected 'probability ( … )'")
    try:
        TopologicalSorter(parents).prepare()
    except CycleError as error:
        raise InputError(f"network {name}: cycle through {', '.join(error.args[1])}; expected none") from None
    return Network(name, states, parents, tables)


def _names(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
