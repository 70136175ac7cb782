"""Replay of proofs without the engine: every step is checked against the rules and the facts alone.

What a proof takes for absent is checked by a naive evaluation, which shares no code with the chaining.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nsmodels.logic.proofs import Proof, Step
from nsmodels.logic.syntax import Comparison, Constant, Fact, Literal, Program, Rule, Variable, fact_text

Binding = Mapping[str, Constant]


def faults(proof: Proof, program: Program, facts: Mapping[Fact, float]) -> list[str]:
    """What is wrong with a proof, a line per fault; empty: it holds."""
    found = []
    for number, step in enumerate(proof.steps):
        if any(not 0 <= premise < number for premise in step.premises):
            found.append(f"step {number}: a premise is no earlier step")
        else:
            fault = _fault(step, proof, program, facts)
            found += [f"step {number}, {fact_text(step.fact)}: {fault}"] if fault else []
    absent = [step.fact for step in proof.steps if step.kind == "absent"]
    model = _model(proof, program, facts, {fact[0] for fact in absent}) if absent else set()
    return found + [f"{fact_text(fact)}: taken for absent, and derived" for fact in absent if fact in model]


def _fault(step: Step, proof: Proof, program: Program, facts: Mapping[Fact, float]) -> str:
    """What is wrong with a step; empty: nothing, or an absent fact, which is checked with the others."""
    if step.kind == "absent":
        return ""
    if step.kind == "given":
        is_there = facts.get(step.fact, 0) > 0 and step.fact not in proof.assumed_absent
        return "" if is_there and facts[step.fact] == step.probability else "not among the given facts"
    if step.rule is None or not 0 <= step.rule < len(program.rules):
        return "no such rule"
    rule, binding = program.rules[step.rule], dict(step.binding)
    if set(binding) != set(rule.variables):
        return f"the binding does not fit the variables of '{rule}'"
    values = tuple(binding[name] for name in rule.variables)
    if rule.probability <= 0 or rule.probability != step.probability or (step.rule, values) in proof.assumed_idle:
        return f"'{rule}' does not act"
    if _ground(rule.head.predicate, rule.head.arguments, binding) != step.fact:
        return f"'{rule}' concludes a different fact"
    return _body_fault(step, proof, rule, binding)


def _body_fault(step: Step, proof: Proof, rule: Rule, binding: Binding) -> str:
    literals = [each for each in rule.body if isinstance(each, Literal)]
    if len(literals) != len(step.premises):
        return f"{len(step.premises)} premises for {len(literals)} literals of '{rule}'"
    for literal, number in zip(literals, step.premises, strict=True):
        premise = proof.steps[number]
        expected = _ground(literal.atom.predicate, literal.atom.arguments, binding)
        if premise.fact != expected or (premise.kind == "absent") != literal.is_negated:
            return f"premise {number} is not '{literal}'"
    wrong = [str(each) for each in rule.body if isinstance(each, Comparison) and not _compares(each, binding)]
    return f"'{wrong[0]}' does not hold" if wrong else ""


def _model(proof: Proof, program: Program, facts: Mapping[Fact, float], wanted: set[str]) -> set[Fact]:
    """Facts of the world of a proof, as far as the predicates `wanted` depend on them, by naive evaluation.

    All that has a chance happens, but what the proof assumes not to.
    """
    rules = [(k, rule) for k, rule in enumerate(program.rules) if rule.probability > 0]
    needed, size = set(wanted), -1
    while size != len(needed):
        size = len(needed)
        needed |= {b.atom.predicate for _, r in rules if r.head.predicate in needed for b in r.literals}
    idle = set(proof.assumed_idle)
    model = {f for f, p in facts.items() if p > 0 and f[0] in needed and f not in proof.assumed_absent}
    by_level: dict[int, list[tuple[int, Rule]]] = {}
    levels = _levels([rule for _, rule in rules if rule.head.predicate in needed], needed)
    for number, rule in rules:
        if rule.head.predicate in needed:
            by_level.setdefault(levels[rule.head.predicate], []).append((number, rule))
    for level in sorted(by_level):
        size = -1
        while size != len(model):
            size = len(model)
            model |= {fact for number, rule in by_level[level] for fact in _conclusions(number, rule, model, idle)}
    return model


def _levels(rules: list[Rule], needed: set[str]) -> dict[str, int]:
    """Number of negations below each predicate."""
    levels, is_changed = dict.fromkeys(needed, 0), True
    while is_changed:
        is_changed = False
        for rule in rules:
            name = rule.head.predicate
            for each in rule.literals:
                least = levels[each.atom.predicate] + each.is_negated
                if levels[name] < least <= len(needed):
                    levels[name], is_changed = least, True
    return levels


def _conclusions(number: int, rule: Rule, model: set[Fact], idle: set[tuple[int, tuple[Constant, ...]]]) -> list[Fact]:
    by_predicate: dict[str, list[tuple[Constant, ...]]] = {}
    for name, values in model:
        by_predicate.setdefault(name, []).append(values)
    found = []
    for binding in _bindings([e for e in rule.literals if not e.is_negated], by_predicate, {}):
        denied = (e for e in rule.literals if e.is_negated)
        if any(_ground(e.atom.predicate, e.atom.arguments, binding) in model for e in denied):
            continue
        is_idle = (number, tuple(binding[name] for name in rule.variables)) in idle
        if not is_idle and all(_compares(e, binding) for e in rule.body if isinstance(e, Comparison)):
            found.append(_ground(rule.head.predicate, rule.head.arguments, binding))
    return found


def _bindings(
    literals: list[Literal], facts: Mapping[str, list[tuple[Constant, ...]]], binding: Binding
) -> Iterator[Binding]:
    if not literals:
        yield binding
        return
    atom = literals[0].atom
    for values in facts.get(atom.predicate, ()):
        extended, is_match = dict(binding), len(values) == len(atom.arguments)
        for term, value in zip(atom.arguments, values, strict=False):
            known = extended.setdefault(term.name, value) if isinstance(term, Variable) else term
            is_match = is_match and known == value
        if is_match:
            yield from _bindings(literals[1:], facts, extended)


def _ground(predicate: str, terms: tuple[object, ...], binding: Binding) -> Fact:
    return predicate, tuple(binding[t.name] if isinstance(t, Variable) else t for t in terms)  # type: ignore[misc]


def _compares(comparison: Comparison, binding: Binding) -> bool:
    left, right = _ground("", (comparison.left, comparison.right), binding)[1]
    if comparison.operator in ("=", "\\="):
        return (left == right) == (comparison.operator == "=")
    if isinstance(left, str) or isinstance(right, str):
        return False
    orders = {"<": left < right, "=<": left <= right, ">": left > right, ">=": left >= right}
    return orders[comparison.operator]
