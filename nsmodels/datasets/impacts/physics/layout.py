"""Columns of the float64 arrays that compiled code shares: a scene, a body, what changes in a clip, a step's record.

Compiled functions take plain arrays, one row for a clip: tuples of forty arrays compile, and are passed, forty times as
slowly.
"""

from __future__ import annotations

# A scene: figures of the object (see `scenes.Objects`) ...
SHAPE, WALL, MASS, VOLUME, YOUNG, POISSON, FRICTION, BOUNCE, STRENGTH, IS_BRITTLE = range(10)
DRIVE, DRIVE_RATE, DRIVE_ANGLE, EXTENTS, INERTIA, START = 10, 11, 12, 13, 16, 19
# ... then of what is around it and of the action (`scenes.Scenes`): extents, inertia, start have 3 columns, the place
# of the neighbour 2.
NEIGHBOUR_AT, NEIGHBOUR_RADIUS, NEIGHBOUR_MASS = 22, 24, 25
HAS_SUPPORT, HAS_NEIGHBOUR, HAS_WATER, GRAVITY, VERB, BEGIN, LENGTH = range(26, 33)
CONTACT_U, DIRECTION, FORCE, SPEED, TIP, TARGET, APERTURE = range(33, 40)
SCENE_SIZE = 40

# A body: position, velocity, spin in the axes of the world, integral of the spin, rotation row by row, inverse of the
# inertia in the axes of the world, half extents, inertia about its own axes, 1 / mass.
P, V, W, ANGLES, ROTATION, INVERSE, HALF, OWN_INERTIA, PER_MASS = 0, 3, 6, 9, 12, 21, 30, 33, 36
BODY_SIZE = 37

# What changes in a clip: time; angle of the table and its rate; whether the object is broken, held, and the grasp
# succeeded; where the hand took it (3); whether the action is done; how far the object is ahead of the finger; work by
# others and by itself; sum of forces of a frame; largest sliding speed and sum of normal impulses of a bin; steps until
# a resting object falls asleep; number of impacts; wrench (6).
TIME, TILT, TILT_RATE, BROKEN, HELD, GRASPED, BASE = range(7)
DONE, AHEAD, WORK, OWN_WORK, LOADS, SLID, PRESSED, AWAKE, NUM_IMPACTS, WRENCH = range(9, 19)
NOW_SIZE = 24

# A record of a step, as in `scenes.Motion`, and where each of its columns begins.
COLUMNS = {
    **{"position": 3, "rotation": 9, "angles": 3, "velocity": 3, "spin": 3, "contact_force": 1, "neighbour": 4},
    **{"tilt": 1, "hand": 3, "hand_angles": 3, "aperture": 1, "tool": 1, "held": 1, "broken": 1, "wrench": 6},
    **{"hand_velocity": 3, "hand_acceleration": 3, "grip": 1, "energy": 1, "work": 2},
}
AT_POSITION, AT_ROTATION, AT_ANGLES, AT_VELOCITY, AT_SPIN, AT_LOAD, AT_NEIGHBOUR = 0, 3, 12, 15, 18, 21, 22
AT_TILT, AT_HAND, AT_HAND_ANGLES, AT_APERTURE, AT_TOOL, AT_HELD, AT_BROKEN, AT_WRENCH = 26, 27, 30, 33, 34, 35, 36, 37
AT_HAND_VELOCITY, AT_HAND_ACCELERATION, AT_GRIP, AT_ENERGY, AT_WORK = 43, 46, 49, 50, 51
RECORD_SIZE = 53

# An impact: time, body, impulse, speed, duration, place (3), whether fingers hold the object.
IMPACT_SIZE = 9
