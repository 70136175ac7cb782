"""Four small planning domains as PDDL, in own words after the classical ones, and their instances.

Every atom has an argument (the hand, the deck), by which instances that are interleaved can be told apart.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nsmodels.datasets.planning_graphs.strips.grounding import GroundTask, ground
from nsmodels.datasets.planning_graphs.strips.reader import Domain, read_domain, read_problem

BLOCKS = """(define (domain blocks) (:requirements :strips :typing) (:types block hand)
  (:predicates (on ?a - block ?b - block) (on-table ?a - block) (clear ?a - block) (holding ?a - block)
    (hand-empty ?h - hand))
  (:action pick-up :parameters (?a - block ?h - hand) :precondition (and (clear ?a) (on-table ?a) (hand-empty ?h))
    :effect (and (holding ?a) (not (clear ?a)) (not (on-table ?a)) (not (hand-empty ?h))))
  (:action put-down :parameters (?a - block ?h - hand) :precondition (holding ?a)
    :effect (and (clear ?a) (on-table ?a) (hand-empty ?h) (not (holding ?a))))
  (:action stack :parameters (?a - block ?b - block ?h - hand) :precondition (and (holding ?a) (clear ?b))
    :effect (and (on ?a ?b) (clear ?a) (hand-empty ?h) (not (holding ?a)) (not (clear ?b))))
  (:action unstack :parameters (?a - block ?b - block ?h - hand)
    :precondition (and (on ?a ?b) (clear ?a) (hand-empty ?h))
    :effect (and (holding ?a) (clear ?b) (not (on ?a ?b)) (not (clear ?a)) (not (hand-empty ?h)))))"""
GRIPPER = """(define (domain gripper) (:requirements :strips :typing) (:types room ball hand)
  (:predicates (robot-in ?r - room) (ball-in ?b - ball ?r - room) (free ?h - hand) (carries ?h - hand ?b - ball)
    (door ?r - room ?s - room))
  (:action walk :parameters (?r - room ?s - room) :precondition (and (robot-in ?r) (door ?r ?s))
    :effect (and (robot-in ?s) (not (robot-in ?r))))
  (:action grasp :parameters (?b - ball ?r - room ?h - hand)
    :precondition (and (ball-in ?b ?r) (robot-in ?r) (free ?h))
    :effect (and (carries ?h ?b) (not (ball-in ?b ?r)) (not (free ?h))))
  (:action release :parameters (?b - ball ?r - room ?h - hand) :precondition (and (carries ?h ?b) (robot-in ?r))
    :effect (and (ball-in ?b ?r) (free ?h) (not (carries ?h ?b)))))"""
LOGISTICS = """(define (domain logistics) (:requirements :strips :typing :equality :negative-preconditions)
  (:types place city carrier parcel - object truck plane - carrier airport - place)
  (:predicates (is-at ?c - carrier ?p - place) (lies-at ?x - parcel ?p - place) (inside ?x - parcel ?c - carrier)
    (part-of ?p - place ?c - city))
  (:action drive :parameters (?t - truck ?p - place ?q - place ?c - city)
    :precondition (and (is-at ?t ?p) (part-of ?p ?c) (part-of ?q ?c) (not (= ?p ?q)))
    :effect (and (is-at ?t ?q) (not (is-at ?t ?p))))
  (:action fly :parameters (?a - plane ?p - airport ?q - airport)
    :precondition (and (is-at ?a ?p) (not (= ?p ?q))) :effect (and (is-at ?a ?q) (not (is-at ?a ?p))))
  (:action load :parameters (?x - parcel ?c - carrier ?p - place) :precondition (and (lies-at ?x ?p) (is-at ?c ?p))
    :effect (and (inside ?x ?c) (not (lies-at ?x ?p))))
  (:action unload :parameters (?x - parcel ?c - carrier ?p - place) :precondition (and (inside ?x ?c) (is-at ?c ?p))
    :effect (and (lies-at ?x ?p) (not (inside ?x ?c)))))"""
FERRY = """(define (domain ferry) (:requirements :strips :typing :equality :negative-preconditions)
  (:types car shore deck)
  (:predicates (ferry-at ?s - shore) (parked ?c - car ?s - shore) (aboard ?c - car) (deck-empty ?d - deck))
  (:action sail :parameters (?s - shore ?t - shore) :precondition (and (ferry-at ?s) (not (= ?s ?t)))
    :effect (and (ferry-at ?t) (not (ferry-at ?s))))
  (:action board :parameters (?c - car ?s - shore ?d - deck)
    :precondition (and (parked ?c ?s) (ferry-at ?s) (deck-empty ?d))
    :effect (and (aboard ?c) (not (parked ?c ?s)) (not (deck-empty ?d))))
  (:action land :parameters (?c - car ?s - shore ?d - deck)
    :precondition (and (aboard ?c) (ferry-at ?s))
    :effect (and (parked ?c ?s) (deck-empty ?d) (not (aboard ?c)))))"""
TEXTS = {"blocks": BLOCKS, "gripper": GRIPPER, "logistics": LOGISTICS, "ferry": FERRY}
OBJECTS = {
    "blocks": "a b c d - block h - hand",
    "gripper": "r s - room x y z - ball left right - hand",
    "logistics": "p q - place g h - airport c d - city t u - truck n - plane x y - parcel",
    "ferry": "k l m - car s t u - shore d - deck",
}
INIT = {
    "blocks": "(hand-empty h) (clear a) (on a b) (on-table b) (clear c) (on-table c) (clear d) (on-table d)",
    "gripper": "(robot-in r) (ball-in x r) (ball-in y r) (ball-in z s) (free left) (free right) (door r s) (door s r)",
    "logistics": "(part-of p c) (part-of g c) (part-of q d) (part-of h d) (is-at t p) (is-at u q) (is-at n g) "
    "(lies-at x p) (lies-at y h)",
    "ferry": "(ferry-at s) (deck-empty d) (parked k s) (parked l t) (parked m u)",
}
GOALS = {"blocks": "(clear a)", "gripper": "(ball-in x r)", "logistics": "(lies-at x p)", "ferry": "(parked k s)"}
NAMES = tuple(TEXTS)


def domain(name: str) -> Domain:
    """One of the four domains."""
    return read_domain(TEXTS[name], name)


def problem_text(name: str) -> str:
    """The instance of a domain as a PDDL problem, with the first state that drawing starts from."""
    return (
        f"(define (problem small-{name}) (:domain {name}) (:objects {OBJECTS[name]})\n"
        f"  (:init {INIT[name]})\n  (:goal (and {GOALS[name]})))"
    )


@cache
def task(name: str) -> GroundTask:
    """The ground instance of a domain, from which plans are drawn."""
    return ground(domain(name), read_problem(problem_text(name), name), name)


PREDICATES = tuple(f"{name}/{predicate}" for name in NAMES for predicate in domain(name).predicates)
SCHEMAS = tuple(f"{name}/{schema.name}" for name in NAMES for schema in domain(name).schemas)


class Compiled(NamedTuple):
    """All domains as padded arrays: d domains, a actions at most, k atoms of an action at most, m atoms at most.

    Attributes:
        pre, add, delete: int16 (d, a, k), -1 where there are fewer atoms.
        num_actions, num_atoms: int16 (d,).
        init: uint8 (d, m).
    """

    pre: NDArray[np.int16]
    add: NDArray[np.int16]
    delete: NDArray[np.int16]
    num_actions: NDArray[np.int16]
    num_atoms: NDArray[np.int16]
    init: NDArray[np.uint8]


@cache
def compiled() -> Compiled:
    """The instances of all domains, in the order of `NAMES`."""
    tasks = [task(name) for name in NAMES]
    most_actions, most_atoms = max(len(t.actions) for t in tasks), max(len(t.atoms) for t in tasks)
    width = max(len(part) for t in tasks for action in t.actions for part in action[1:])
    lists: dict[str, Any] = {part: np.full((len(tasks), most_actions, width), -1, np.int16) for part in _PARTS}
    init = np.zeros((len(tasks), most_atoms), np.uint8)
    for d, each in enumerate(tasks):
        init[d, list(each.init)] = 1
        for a, action in enumerate(each.actions):
            for part in _PARTS:
                ids = getattr(action, part)
                lists[part][d, a, : len(ids)] = ids
    num_actions, num_atoms = (np.array([len(getattr(t, n)) for t in tasks], np.int16) for n in ("actions", "atoms"))
    return Compiled(**lists, num_actions=num_actions, num_atoms=num_atoms, init=init)


_PARTS = ("pre", "add", "delete")
