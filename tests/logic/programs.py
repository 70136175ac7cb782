"""Random stratified programs, as texts that this project and ProbLog both read, and ProbLog's answers."""

from __future__ import annotations

import random

ARITIES = (0, 1, 1, 2, 2)


def program(seed: int) -> tuple[str, list[str]]:
    """A program, one statement per line, and a query per derived predicate.

    It has probabilities 0 and 1 too, recursion, negation, comparisons, rules with several groundings, constants.
    """
    chance = random.Random(seed)
    constants = ["a", "b", "c"] if chance.random() < 0.6 else ["1", "2", "3"]
    levels = [[(f"b{k}", chance.choice(ARITIES)) for k in range(chance.randint(2, 4))]]
    levels += [
        [(f"d{level}{k}", chance.choice(ARITIES)) for k in range(chance.randint(1, 2))]
        for level in range(1, chance.randint(2, 4))
    ]
    lines = [
        f"{_weight(chance)}{_atom(name, [chance.choice(constants) for _ in range(arity)])}."
        for name, arity in levels[0]
        for _ in range(chance.randint(1, 4))
    ]
    lines += [
        _rule(chance, name, arity, levels[: level + 1], constants)
        for level in range(1, len(levels))
        for name, arity in levels[level]
        for _ in range(chance.randint(1, 3))
    ]
    unique = {line.partition(":: ")[2] or line: line for line in lines}
    queries = [_atom(name, ["X", "Y"][:arity]) for level in levels[1:] for name, arity in level]
    return "\n".join(unique.values()), queries


def _weight(chance: random.Random) -> str:
    kind = chance.random()
    if kind < 0.25:
        return ""
    return "0.0 :: " if kind < 0.28 else f"{chance.randint(1, 99) / 100} :: "


def _atom(name: str, terms: list[str]) -> str:
    return f"{name}({', '.join(terms)})" if terms else name


def _rule(
    chance: random.Random, name: str, arity: int, levels: list[list[tuple[str, int]]], constants: list[str]
) -> str:
    below = [each for level in levels[:-1] for each in level]
    variables = ["X", "Y", "Z"]
    body = [_literal(chance, chance.choice(below), variables, constants) for _ in range(chance.randint(1, 2))]
    if chance.random() < 0.5:  # recursion
        body.append(_literal(chance, chance.choice(levels[-1]), variables, constants))
    chance.shuffle(body)
    bound = sorted({letter for literal in body for letter in variables if letter in literal})
    if chance.random() < 0.5:
        denied, size = chance.choice(below)
        body.append(f"not {_atom(denied, [chance.choice(bound + constants[:1]) for _ in range(size)])}")
    if len(bound) > 1 and chance.random() < 0.4:
        operator = chance.choice(["\\="] if constants[0] == "a" else ["\\=", "<", "=<", ">", ">="])
        body.append(f"{bound[0]} {operator} {bound[1]}")
    head = _atom(name, [chance.choice(bound + constants[:1]) for _ in range(arity)])
    return f"{_weight(chance)}{head} :- {', '.join(body)}."


def _literal(chance: random.Random, predicate: tuple[str, int], variables: list[str], constants: list[str]) -> str:
    name, arity = predicate
    return _atom(
        name, [chance.choice(constants) if chance.random() < 0.15 else chance.choice(variables) for _ in range(arity)]
    )


def problog_answers(text: str, queries: list[str]) -> dict[str, float]:
    """Probabilities of all answers with a chance, by ProbLog, as texts without spaces."""
    from problog import get_evaluatable
    from problog.program import PrologString

    source = text.replace("not ", "\\+ ") + "\n" + "".join(f"query({query}).\n" for query in queries)
    found = get_evaluatable().create_from(PrologString(source)).evaluate()
    return {str(fact): float(value) for fact, value in found.items() if value > 1e-15}
