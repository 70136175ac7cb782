"""Ordered binary decision diagrams with the probability of each node (Bryant 1986): exact weighted model counting."""

from __future__ import annotations

from collections.abc import Sequence

FALSE, TRUE = 0, 1
LAST = 1 << 60  # in place of a variable, of the two leaves
AND, OR, NOT = range(3)


class TooLarge(Exception):
    """The diagrams have more nodes than they may."""


class Diagrams:
    """Boolean functions of independent events with probabilities `weights`; equal functions are the same node.

    A node is the number of its row: event, the node where it does not happen, the node where it happens. Rows come
    after those that they refer to, so that the probability of a function is known when its node is made.
    """

    def __init__(self, weights: Sequence[float], max_nodes: int) -> None:
        self.events = [LAST, LAST]
        self.low, self.high = [FALSE, TRUE], [FALSE, TRUE]
        self.probabilities = [0.0, 1.0]
        self._max_nodes = max_nodes
        self._num_steps = 0
        self._weights = weights
        self._rows: dict[tuple[int, int, int], int] = {}
        self._known: dict[tuple[int, int, int], int] = {}

    def event(self, number: int) -> int:
        """The function that is true where an event happens; later events are deeper in the diagrams."""
        return self._node(number, FALSE, TRUE)

    def negation(self, function: int) -> int:
        """The function that is true where this one is false."""
        return self._apply(NOT, function, function)

    def conjunction(self, functions: Sequence[int]) -> int:
        """The function that is true where all are."""
        return self._folded(AND, functions, TRUE)

    def disjunction(self, functions: Sequence[int]) -> int:
        """The function that is true where one is."""
        return self._folded(OR, functions, FALSE)

    def likeliest(self, function: int) -> dict[int, bool]:
        """The most probable partial assignment of events that makes a function true. It must not be `FALSE`."""
        needed, waiting = {function}, [function]
        while waiting:
            node = waiting.pop()
            fresh = {self.low[node], self.high[node]} - needed
            needed |= fresh
            waiting += fresh
        best = {FALSE: 0.0, TRUE: 1.0}
        for node in sorted(needed - {FALSE, TRUE}):
            best[node] = max(self._sides(node, best))
        found = {}
        while function != TRUE:
            without, with_it = self._sides(function, best)
            found[self.events[function]] = with_it >= without
            function = self.high[function] if with_it >= without else self.low[function]
        return found

    def _sides(self, node: int, best: dict[int, float]) -> tuple[float, float]:
        """Probability of the best way to `TRUE` where the event of a node does not happen, and where it does."""
        weight = self._weights[self.events[node]]
        return (1 - weight) * best[self.low[node]], weight * best[self.high[node]]

    def _node(self, event: int, low: int, high: int) -> int:
        if low == high:
            return low
        found = self._rows.get((event, low, high))
        if found is None:
            found = self._rows[event, low, high] = len(self.events)
            if found > self._max_nodes:
                raise TooLarge
            self.events.append(event)
            self.low.append(low)
            self.high.append(high)
            weight = self._weights[event]
            self.probabilities.append(weight * self.probabilities[high] + (1 - weight) * self.probabilities[low])
        return found

    def _folded(self, operation: int, functions: Sequence[int], empty: int) -> int:
        """Functions combined in pairs: of n independent ones, n log n nodes and not n²."""
        rest = list(dict.fromkeys(functions))
        while len(rest) > 1:
            pairs = [self._apply(operation, *rest[k : k + 2]) for k in range(0, len(rest) - 1, 2)]
            rest = pairs + rest[len(rest) & ~1 :]
        return rest[0] if rest else empty

    def _apply(self, operation: int, first: int, second: int) -> int:
        """A function of two functions, without recursion: diagrams may be deeper than Python's stack."""
        waiting = [(first, second)]
        while waiting:
            f, g = waiting[-1]
            if self._result(operation, f, g) is not None:
                waiting.pop()
                continue
            event = min(self.events[f], self.events[g])
            low = (self.low[f] if self.events[f] == event else f, self.low[g] if self.events[g] == event else g)
            high = (self.high[f] if self.events[f] == event else f, self.high[g] if self.events[g] == event else g)
            found_low, found_high = self._result(operation, *low), self._result(operation, *high)
            if found_low is None or found_high is None:
                waiting += [pair for pair, found in ((low, found_low), (high, found_high)) if found is None]
                continue
            self._num_steps += 1
            if self._num_steps > 4 * self._max_nodes:
                raise TooLarge
            self._known[operation, min(f, g), max(f, g)] = self._node(event, found_low, found_high)
            waiting.pop()
        result = self._result(operation, first, second)
        assert result is not None
        return result

    def _result(self, operation: int, f: int, g: int) -> int | None:
        """The result where it is known."""
        if operation == NOT:
            return 1 - f if f <= TRUE else self._known.get((NOT, f, f))
        if f == g:
            return f
        if f > g:
            f, g = g, f
        if f <= TRUE:  # one of the leaves decides, or changes nothing
            return f if f == (FALSE if operation == AND else TRUE) else g
        return self._known.get((operation, f, g))
