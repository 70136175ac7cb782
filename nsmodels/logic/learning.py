"""Rules from examples, by description length: rules and their exceptions must be shorter to write than the labels.

Greedy covering: the clause that saves most is added while one saves anything. Then clauses are dropped, shortened and
merged while that saves more. Nothing is asked of the precision of a clause: exceptions cost what they cost.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations

import numpy as np

from nsmodels.logic.config import LearnConfig
from nsmodels.logic.literals import Bits, Table, X, Y, count, unpacked
from nsmodels.logic.syntax import Atom, Literal, Rule, Variable

Choice = tuple[int, bool]  # number of a feature, and whether it is negated


@dataclass(frozen=True)
class Clause:
    """A conjunction of literals of a table, and the examples that it covers."""

    literals: frozenset[Choice]
    bits: Bits = field(compare=False, repr=False)


@dataclass(frozen=True)
class Learnt:
    """Clauses for one target.

    Attributes:
        table: the literals.
        clauses: those learnt, in the order of what they save.
        positive: examples with the label.
        bits_saved: bits of the labels written plainly, less those of rules and exceptions.
    """

    table: Table
    clauses: tuple[Clause, ...]
    positive: Bits
    bits_saved: float

    def precision(self, clause: Clause) -> float:
        """Share of the covered examples with the label (Laplace's estimate), the probability of its rule."""
        return float((count(clause.bits & self.positive) + 1) / (count(clause.bits) + 2))

    def rules(self, target: str) -> list[Rule]:
        """The rules, with rules of their own for negated literals on a related object."""
        named: dict[str, Rule] = {}
        found = [self._rule(target, clause, named) for clause in self.clauses]
        return [*named.values(), *found]

    def _rule(self, target: str, clause: Clause, named: dict[str, Rule]) -> Rule:
        body: list[Literal] = []
        chosen = sorted(clause.literals, key=lambda each: (each[1], len(self.table.features[each[0]].atoms), each))
        others = iter("YZUVW") if len(chosen) <= 5 else (f"Y{k}" for k in range(1, 100))
        for number, is_negated in chosen:
            feature = self.table.features[number]
            if is_negated and feature.is_about_two:
                name = "_".join([target, "has", *(atom.predicate for atom in feature.atoms)])
                name += "_to_it" if feature.atoms[0].arguments[:1] == (Y,) else ""
                named[name] = Rule(Atom(name, (X,)), tuple(map(Literal, feature.atoms)))
                body.append(Literal(Atom(name, (X,)), is_negated=True))
            else:
                other = Variable(next(others)) if feature.is_about_two else Y
                body += [Literal(_renamed(atom, other), is_negated) for atom in feature.atoms]
        is_anchored = any(not each.is_negated and X in each.atom.arguments for each in body)
        if not is_anchored:
            body.insert(0, Literal(Atom("object", (X,))))
        return Rule(Atom(target, (X,)), tuple(body), round(self.precision(clause), 3))


def _renamed(atom: Atom, other: Variable) -> Atom:
    return Atom(atom.predicate, tuple(other if term == Y else term for term in atom.arguments))


def learn(table: Table, positive: Bits, config: LearnConfig | None = None) -> Learnt:
    """Learn clauses for a label.

    Args:
        table: literals over the examples.
        positive: UInt64[words], the examples with the label.
        config: limits of the search.
    """
    config = config or LearnConfig()
    search = _Search(table, positive, config)
    theory = search.cover([])
    for _ in range(config.num_passes):
        refined = search.cover(search.refine(theory))
        if search.length(refined) >= search.length(theory) - 1e-9:
            break
        theory = refined
    return Learnt(table, tuple(theory), positive, search.length([]) - search.length(theory))


class _Search:
    """The search for clauses of one label."""

    def __init__(self, table: Table, positive: Bits, config: LearnConfig) -> None:
        self._table, self._positive, self._config = table, positive, config
        self._num_examples, self._num_positive = table.num_examples, int(count(positive))
        self._literal_bits = np.log2(max(table.num_literals, 2))

    @cached_property
    def _log_factorials(self) -> np.ndarray:
        most = max(self._num_examples, self._config.max_literals)
        return np.concatenate([[0.0], np.cumsum(np.log2(np.arange(1, most + 2)))])

    def _chosen(self, total: np.ndarray, part: np.ndarray) -> np.ndarray:
        """Bits to name `part` of `total` examples, their number included."""
        logs = self._log_factorials
        return logs[total] - logs[part] - logs[total - part] + np.log2(total + 1)

    def _exceptions(self, covered: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Bits for the exceptions of rules that cover so many examples, so many of them with the label."""
        rest = self._num_examples - covered
        return self._chosen(covered, covered - right) + self._chosen(rest, self._num_positive - right)

    def _cost(self, num_literals: int) -> float:
        """Bits of a clause: its length, and a set of literals."""
        own = num_literals * self._literal_bits - self._log_factorials[num_literals] + num_literals + 1
        return own + self._config.min_saving

    def length(self, theory: list[Clause]) -> float:
        """Bits of clauses and their exceptions."""
        covered = _union(theory, self._table)
        exceptions = self._exceptions(count(covered), count(covered & self._positive))
        return float(exceptions) + sum(self._cost(len(clause.literals)) for clause in theory)

    def clause(self, literals: frozenset[Choice]) -> Clause:
        """The clause of these literals."""
        bits = self._table.everything
        for feature, is_negated in sorted(literals):
            bits = bits & self._table.of_literal(feature, is_negated)
        return Clause(literals, bits)

    def cover(self, theory: list[Clause]) -> list[Clause]:
        """The clauses and those that are added to them."""
        theory = list(theory)
        while len(theory) < self._config.max_clauses:
            found = self._best(theory)
            if found is None:
                break
            theory.append(found)
        return theory

    def _best(self, theory: list[Clause]) -> Clause | None:
        """The clause that saves most beside the others; None where none does."""
        others = _union(theory, self._table)
        before = self.length(theory)
        start = Clause(frozenset(), self._table.everything)
        beam, best, least = [start], None, before
        for size in range(1, self._config.max_literals + 1):
            width = self._config.first_beam if size == 1 else self._config.beam
            scored = list(self._extended(beam, others, self._cost(size), width))
            scored += self._pairs(others) if size == 2 else []
            scored.sort(key=lambda each: each[0])
            offset = before - float(self._exceptions(count(others), count(others & self._positive)))
            beam = [self.clause(literals) for _, literals in _distinct(scored, width)]
            for (bits, _), clause in zip(_distinct(scored, width), beam, strict=True):
                if bits + offset < least - 1e-9 and self._is_right_enough(clause, others):
                    least, best = bits + offset, clause
        return best

    def _is_right_enough(self, clause: Clause, others: Bits) -> bool:
        """Whether a clause is right often enough where it alone covers."""
        fresh = clause.bits & ~others
        return bool(count(fresh & self._positive) >= self._config.min_precision * count(fresh))

    def _extended(
        self, beam: list[Clause], others: Bits, cost: float, width: int = 1
    ) -> Iterator[tuple[float, frozenset[Choice]]]:
        """Clauses of the beam with one more literal, each with its bits and those of all exceptions."""
        covered, right = int(count(others)), int(count(others & self._positive))
        rest, rest_hit = self._num_examples - covered, self._num_positive - right
        for clause in beam:
            fresh = clause.bits & ~others
            hit = fresh & self._positive
            total, total_hit = int(count(fresh)), int(count(hit))
            some, some_hit = count(self._table.bits & fresh), count(self._table.bits & hit)
            for is_negated in (False, True):
                more = total - some if is_negated else some
                more_hit = total_hit - some_hit if is_negated else some_hit
                bits = self._exceptions(covered + more, right + more_hit) + cost
                # Only what the label is frequent in: a clause that excludes it is as short, and explains nothing.
                is_lifted = more_hit * rest > rest_hit * more
                bits = np.where(is_lifted & (more < total), bits, np.inf)
                for number in np.argsort(bits, kind="stable")[:width]:
                    if np.isfinite(bits[number]):
                        yield float(bits[number]), clause.literals | {(int(number), is_negated)}

    def _pairs(self, others: Bits) -> Iterator[tuple[float, frozenset[Choice]]]:
        """Pairs of literals that fresh positive examples share more often than chance has it.

        Literals of a clause may be of no interest one by one, where several clauses share a label.
        """
        fresh = self._table.everything & ~others
        hit = np.flatnonzero(unpacked(fresh & self._positive, self._num_examples))
        flags = np.unpackbits(self._table.bits.view("u1"), axis=1)[:, hit]
        numbers = np.flatnonzero(flags.sum(1, dtype=np.int64) >= self._config.min_examples)
        rows = flags[numbers].astype(np.float32)
        together = rows @ rows.T
        totals = count(self._table.bits[numbers] & fresh).astype(np.float32)
        expected = np.maximum(np.outer(totals, totals) * (len(hit) / max(int(count(fresh)), 1) ** 2), 1e-6)
        surprise = np.triu(together * np.log(np.maximum(together, 1e-6) / expected), 1)
        surprise[together < self._config.min_examples] = 0
        chosen = np.argsort(surprise, axis=None)[::-1][: self._config.num_pairs]
        first, second = (numbers[each] for each in np.unravel_index(chosen[surprise.flat[chosen] > 0], surprise.shape))
        some = self._table.bits[first] & self._table.bits[second] & fresh
        more, more_hit = count(some), count(some & self._positive)
        covered, right = int(count(others)), int(count(others & self._positive))
        bits = self._exceptions(covered + more, right + more_hit) + self._cost(2)
        for k, each in enumerate(bits):
            yield float(each), frozenset({(int(first[k]), False), (int(second[k]), False)})

    def refine(self, theory: list[Clause]) -> list[Clause]:
        """Clauses dropped, shortened, changed and merged while that makes them and their exceptions shorter."""
        is_better = True
        while is_better:
            is_better = False
            least = self.length(theory)
            for candidate in self._neighbours(theory):
                bits = self.length(candidate)
                if bits < least - 1e-9:
                    theory, least, is_better = candidate, bits, True
                    break
        return theory

    def _neighbours(self, theory: list[Clause]) -> Iterator[list[Clause]]:
        """Theories with a clause less, with one changed, and with two merged."""
        for k, clause in enumerate(theory):
            rest = theory[:k] + theory[k + 1 :]
            yield rest
            shorter = [clause.literals - {each} for each in sorted(clause.literals)] if len(clause.literals) > 1 else []
            yield from self._with_one_of([*shorter, *self._exchanged(clause, rest)], rest)
        for one, two in combinations(theory, 2):
            rest = [each for each in theory if each is not one and each is not two]
            shared = one.literals & two.literals
            if shared:
                yield from self._with_one_of([shared, *self._joined(one, two, rest)], rest)

    def _with_one_of(self, changed: list[frozenset[Choice]], rest: list[Clause]) -> Iterator[list[Clause]]:
        others = _union(rest, self._table)
        clauses = map(self.clause, changed)
        return ([*rest, clause] for clause in clauses if self._is_right_enough(clause, others))

    def _exchanged(self, clause: Clause, rest: list[Clause]) -> Iterator[frozenset[Choice]]:
        """The clause with its best literal in place of each of its own."""
        others = _union(rest, self._table)
        for literal in sorted(clause.literals):
            shorter = self.clause(clause.literals - {literal})
            found = min(self._extended([shorter], others, 0.0), default=None, key=lambda each: each[0])
            if found is not None:
                yield found[1]

    def _joined(self, one: Clause, two: Clause, rest: list[Clause]) -> Iterator[frozenset[Choice]]:
        """What two clauses share with the best literal in place of what differs."""
        shared = one.literals & two.literals
        if max(len(one.literals), len(two.literals)) - len(shared) == 1:
            others = _union(rest, self._table)
            start = self.clause(shared)
            found = min(self._extended([start], others, 0.0), default=None, key=lambda each: each[0])
            if found is not None:
                yield found[1]


def _union(theory: list[Clause], table: Table) -> Bits:
    bits = np.zeros_like(table.everything)
    for clause in theory:
        bits = bits | clause.bits
    return bits


def _distinct(scored: list[tuple[float, frozenset[Choice]]], most: int) -> Iterator[tuple[float, frozenset[Choice]]]:
    seen: set[frozenset[Choice]] = set()
    for bits, literals in scored:
        if literals not in seen:
            seen.add(literals)
            yield bits, literals
        if len(seen) == most:
            break
