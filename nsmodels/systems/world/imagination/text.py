"""What was imagined as lines of text: the model's answer, and beside it the simulator's."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nsmodels.formats.clips.names import AFFORDANCES, EVENTS, OUTCOMES, PROPERTIES, STATES
from nsmodels.systems.world.imagination.imagine import Changed, Imagined

HALF_WIDTH = 1.6449  # of a 90 % interval of a normal variable, in deviations
UNITS: dict[str, str] = {
    **dict.fromkeys(("x", "y", "z", "neighbour_x", "neighbour_y"), "m"),
    **dict.fromkeys(("vx", "vy", "vz", "neighbour_vx", "neighbour_vy"), "m/s"),
    **dict.fromkeys(("roll", "pitch", "yaw", "tilt"), "rad"),
    **dict.fromkeys(("wx", "wy", "wz"), "rad/s"),
    "contact_force": "N",
}


def as_text(found: Imagined) -> str:
    """The whole answer."""
    lines = [*_states(found), *_properties(found), *_affordances(found)]
    return "\n".join(lines + (["", *change_lines(found.changed)] if found.changed else []))


def interval(mean: np.ndarray, std: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper end of a 90 % interval."""
    return mean - HALF_WIDTH * std, mean + HALF_WIDTH * std


def inside(found: Imagined) -> np.ndarray:
    """Whether the simulated states, bool (horizon, S), are in their 90 % intervals."""
    low, high = interval(found.mean, found.std)
    return (found.simulated >= low) & (found.simulated <= high)


def _states(found: Imagined) -> Iterator[str]:
    low, high = interval(found.mean, found.std)
    last = found.context + len(found.mean) - 1
    yield f"{found.clip}: {found.what}"
    yield f"{found.verb}; {found.context} steps observed, steps {found.context} to {last} imagined"
    yield f"{inside(found).mean():.0%} of the simulated states are in their 90 % intervals; at the last step:"
    yield f"  {'state':<20}{'imagined':>10}{'90 % interval':>22}{'simulated':>11}"
    for k, name in enumerate(STATES):
        ends = f"{low[-1, k]:.3f} to {high[-1, k]:.3f}"
        label = f"{name} ({UNITS[name]})"
        yield f"  {label:<20}{found.mean[-1, k]:>10.3f}{ends:>22}{found.simulated[-1, k]:>11.3f}"


def _properties(found: Imagined) -> Iterator[str]:
    yield f"\n  {'property':<20}{'believed':>10}{'90 % interval':>22}{'true':>11}"
    low, high = interval(found.properties[:, 0], found.properties[:, 1])
    for k, name in enumerate(PROPERTIES):
        ends = f"{low[k]:.2f} to {high[k]:.2f}"
        true = "-" if found.true_properties is None else f"{found.true_properties[k]:.2f}"
        yield f"  {name:<20}{found.properties[k, 0]:>10.2f}{ends:>22}{true:>11}"


def _affordances(found: Imagined) -> Iterator[str]:
    yield f"\n  {'affordance':<20}{'probability':>12}{'simulated':>31}"
    for k, name in enumerate(AFFORDANCES):
        true = "-" if found.true_affordances is None else "yes" if found.true_affordances[k] else "no"
        yield f"  {name:<20}{found.affordances[k]:>12.2f}{true:>31}"


def change_lines(changed: Changed) -> Iterator[str]:
    """Differences of states, outcomes and events."""
    yield f"do({changed.change}), differences at the last step:"
    yield f"  {'state':<20}{'imagined':>10}{'simulated':>33}"
    for k, name in enumerate(STATES):
        yield f"  {name:<20}{changed.states[-1, k]:>+10.3f}{changed.simulated[-1, k]:>+33.3f}"
    if changed.outcomes is None or changed.events is None:
        yield "outcomes and events of an action of your own are not predicted: they are read from whole recordings"
        return
    yield f"\n  {'outcome':<20}{'difference':>10}{'90 % interval':>22}{'simulated':>11}"
    low, high = interval(changed.outcomes[:, 0], changed.outcomes[:, 1])
    for k, name in enumerate(OUTCOMES):
        ends = f"{low[k]:+.2f} to {high[k]:+.2f}"
        true = float(changed.after.outcomes[k] - changed.before.outcomes[k])
        yield f"  {name:<20}{changed.outcomes[k, 0]:>+10.2f}{ends:>22}{f'{true:+.2f}' if true == true else '-':>11}"
    yield f"\n  {'event':<20}{'before':>10}{'after':>10}{'simulated':>23}"
    for k, name in enumerate(EVENTS):
        true = " -> ".join("yes" if course.events[k] else "no" for course in (changed.before, changed.after))
        yield f"  {name:<20}{changed.events[k, 0]:>10.2f}{changed.events[k, 1]:>10.2f}{true:>23}"
