"""Answers of a program: each with its probability, how that was found, and a proof."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from nsmodels.logic.chaining import Event, Grounding, chain
from nsmodels.logic.config import AskConfig
from nsmodels.logic.probability import Counter
from nsmodels.logic.program import query_of, require_facts
from nsmodels.logic.proofs import Proof, Prover
from nsmodels.logic.sampling import Sampler
from nsmodels.logic.syntax import Atom, Constant, Fact, Program, Variable, fact_text


@dataclass(frozen=True)
class Answer:
    """A fact that answers a query.

    Attributes:
        fact: predicate and arguments.
        probability: that it holds.
        method: "exact", or "sampled" where exact counting would be too large.
        low, high: the probability if exact; else a 95 % interval, within bounds that always hold.
        depth: rules on the longest way of its proof; None without a proof.
        proof: in the likeliest world (if exact), or in a sampled one.
    """

    fact: Fact
    probability: float
    method: Literal["exact", "sampled"]
    low: float
    high: float
    depth: int | None = None
    proof: Proof | None = None

    def text(self, program: Program) -> str:
        """The answer, and its proof below."""
        about = "exact" if self.method == "exact" else f"sampled, 95 % interval {self.low:.4f} to {self.high:.4f}"
        head = f"{fact_text(self.fact)}   {self.probability:.10g} ({about})"
        if self.proof is None:
            return head
        lines = self.proof.text(program).splitlines()
        return "\n".join([f"{head}, depth {self.depth}", *(f"  {line}" for line in lines)])

    def to_json(self, program: Program) -> dict[str, Any]:
        """The answer as plain values."""
        found = {"fact": [self.fact[0], list(self.fact[1])], "probability": self.probability, "method": self.method}
        found |= {"low": self.low, "high": self.high, "depth": self.depth}
        return found | {"proof": self.proof.to_json(program) if self.proof else None}


def ask(
    program: Program, facts: Mapping[Fact, float], query: str | Atom, config: AskConfig | None = None
) -> list[Answer]:
    """The facts that match a query and are possible, the most probable first.

    Args:
        program: the rules.
        facts: given facts with their probabilities, independent of each other. Those of predicates that the program
            does not know are ignored.
        query: an atom, `on(X, o5)`.
        config: limits, and what happens beyond them.

    Raises `InputError` for a query or facts that do not fit the program, and beyond the budget of derivations.
    """
    config = config or AskConfig()
    atom = query_of(query, program) if isinstance(query, str) else query
    grounding = chain(program, require_facts(program, facts), atom.predicate, config.budget)
    found = weighed(grounding, [fact for fact in grounding.facts_of(atom.predicate) if _matches(atom, fact)], config)
    found.sort(key=lambda each: (-each[0].probability, list(map(_sortable, each[0].fact[1]))))
    provable = [each for each, world in found[: config.max_proofs] if world is not None]
    prover = Prover(grounding) if provable else None
    answers = [each for each, _ in found]
    for number, (answer, world) in enumerate(found[: config.max_proofs]):
        if prover is not None and world is not None:
            proof = prover.prove(answer.fact, world)
            answers[number] = replace(answer, proof=proof, depth=proof.depth(program))
    return answers


def weighed(
    grounding: Grounding, facts: list[Fact], config: AskConfig
) -> list[tuple[Answer, Mapping[Event, bool] | None]]:
    """Probabilities of possible facts of a grounding, each with a world that has it, if one is known.

    Facts that hold in no world are left out.
    """
    counter, sampler = Counter(grounding, facts, config.max_nodes), None
    found: list[tuple[Answer, Mapping[Event, bool] | None]] = []
    for fact in facts:
        exact = counter.exact(fact)
        if exact is None:
            sampler = sampler or Sampler(grounding, config.num_worlds, config.seed)
            sampled = sampler.estimate(fact)
            found.append((Answer(fact, sampled.probability, "sampled", sampled.low, sampled.high), sampled.world))
        elif exact.probability > 0:
            found.append((Answer(fact, exact.probability, "exact", exact.probability, exact.probability), exact.world))
    return found


def _matches(atom: Atom, fact: Fact) -> bool:
    binding: dict[str, Constant] = {}
    pairs = zip(atom.arguments, fact[1], strict=True)
    return all((binding.setdefault(t.name, v) if isinstance(t, Variable) else t) == v for t, v in pairs)


def _sortable(value: Constant) -> tuple[bool, float, str]:
    return (True, 0.0, value) if isinstance(value, str) else (False, value, "")
