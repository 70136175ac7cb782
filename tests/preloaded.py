"""For the server of child processes: numba as it is after its first function, which takes a third of a second."""

import numba


@numba.njit
def _nothing() -> None:
    """Compiled here, so that every child finds numba's tables of types and functions."""


_nothing()
