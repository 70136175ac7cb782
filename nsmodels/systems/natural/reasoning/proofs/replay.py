"""Proof checker: replays a proof from its own leaf facts with the exact executor, without network or belief.

The world is closed: what no leaf fact states is not so.
"""

from __future__ import annotations

from nsmodels.datasets.gqa.programs.execution import Found, IllPosed, answer_of, trace
from nsmodels.datasets.gqa.programs.scene import Compiled, members_of
from nsmodels.formats.scenes.graphs import Box, Relation, SceneGraph, Thing
from nsmodels.formats.scenes.vocabulary import SceneVocabulary
from nsmodels.systems.natural.reasoning.facts import Fact
from nsmodels.systems.natural.reasoning.proofs.closed_scene import ClosedScene
from nsmodels.systems.natural.reasoning.proofs.proof import Proof


class ProofError(ValueError):
    """Error in a proof; the message names the step."""


def check(proof: Proof, words: SceneVocabulary) -> None:
    """Replay `proof` from its leaf facts. Raises `ProofError` where something does not follow from them."""
    graph = scene_of(proof, words)
    scene = ClosedScene(graph, words)
    _check_names(proof, words, scene)
    try:
        values = trace(proof.program, scene)
    except IllPosed as error:
        raise ProofError(f"the leaf facts do not decide the question: {error}") from None
    if len(values) != len(proof.steps):
        raise ProofError(f"the proof has {len(proof.steps)} steps, its program {len(values)}")
    for step, value in zip(proof.steps, values, strict=True):
        if isinstance(value, Found):
            output = "image" if value.is_scene else tuple(int(graph.things[k].id) for k in members_of(value.mask))
        else:
            output = answer_of(value)
        if output != step.output:
            raise ProofError(f"step {step.number} ({step.call}) gives {output}, the proof states {step.output}")
    if answer_of(values[-1]) != proof.answer:
        raise ProofError(f"the last step gives {values[-1]!r}, the proof states {proof.answer!r}")


def scene_of(proof: Proof, words: SceneVocabulary) -> SceneGraph:
    """The scene graph that the leaf facts state. Raises `ProofError` where two of them contradict each other."""
    _check_consistent(proof.facts)
    held = [fact for fact in proof.facts if fact.holds]
    stated = {number for fact in held for number in fact.objects}
    if unknown := stated - {each.number for each in proof.objects}:
        raise ProofError(f"a fact is about object {min(unknown)}, which the proof does not list")
    things = []
    for each in proof.objects:
        own = [fact for fact in held if fact.objects[:1] == (each.number,)]
        values = tuple(fact.value for fact in own if fact.name in words.attributes)
        relations = tuple(Relation(fact.name, str(fact.objects[1])) for fact in own if len(fact.objects) > 1)
        things.append(Thing(str(each.number), each.name, Box(*each.box), values, relations))
    whole = {fact.name: fact.value for fact in held if not fact.objects}
    return SceneGraph("", *proof.size, tuple(things), whole.get("location", ""), whole.get("weather", ""))


def _check_consistent(facts: tuple[Fact, ...]) -> None:
    probability: dict[Fact, float] = {}
    for fact in facts:
        if not 0.0 <= fact.probability <= 1.0:
            raise ProofError(f"{fact}: probability {fact.probability} is outside of [0, 1]")
        if probability.setdefault(fact.literal, fact.probability) != fact.probability:
            raise ProofError(f"{fact}: has two probabilities")
    literals = {(fact.name, fact.objects, fact.value, fact.holds) for fact in facts}
    for name, objects, value, holds in literals:
        if (name, objects, value, not holds) in literals:
            raise ProofError(f"{name}{objects} {value}: is stated and denied")


def _check_names(proof: Proof, words: SceneVocabulary, scene: Compiled) -> None:
    """The objects are called as the facts say, those that are absent are not listed."""
    place = {int(thing.id): k for k, thing in enumerate(scene.things)}
    for fact in proof.facts:
        if fact.name == "present" and (fact.objects[0] in place) != fact.holds:
            raise ProofError(f"{fact}: the list of objects says otherwise")
        if fact.name == "is" and bool(scene.called(fact.value)[0] >> place[fact.objects[0]] & 1) != fact.holds:
            raise ProofError(f"{fact}: the object is a {scene.things[place[fact.objects[0]]].name}")
        if fact.name == "name" and scene.things[place[fact.objects[0]]].name != fact.value:
            raise ProofError(f"{fact}: the object is a {scene.things[place[fact.objects[0]]].name}")
