"""Names of the channels of a clip, in the order of their columns. Clips of other sources may lack any of them."""

from __future__ import annotations

MODALITIES = ("vision", "audio", "proprio")

# What the hand feels: its position (m), velocity, acceleration and orientation (rad), force (N) and torque (N m) at the
# wrist, opening of the fingers (m), heat that flows from the fingers (W).
PROPRIO = (
    *("x", "y", "z", "vx", "vy", "vz", "ax", "ay", "az", "roll", "pitch", "yaw"),
    *("force_x", "force_y", "force_z", "torque_x", "torque_y", "torque_z", "aperture", "heat"),
)

VERBS = ("none", "push", "lift", "strike", "squeeze", "drop", "tilt")
# One-hot verb, where the hand touches (in units of the size of the object), direction, strength, speed, log of the
# stiffness of the tip, which object (0: the object, 1: its neighbour), opening of the fingers.
ACTION = (
    *(f"verb_{verb}" for verb in VERBS),
    *("contact_u", "contact_v", "cos", "sin", "force", "speed", "tip", "target", "aperture"),
)

# Exact state of the object (m, rad, m/s, rad/s), mean force at its contacts during the step (N), neighbour, tilt of the
# support (rad). Angles are continuous, they do not wrap. Without a neighbour its columns are 0.
STATES = (
    *("x", "y", "z", "roll", "pitch", "yaw", "vx", "vy", "vz", "wx", "wy", "wz", "contact_force"),
    *("neighbour_x", "neighbour_y", "neighbour_vx", "neighbour_vy", "tilt"),
)

# Each in [0, 1], a formula of the physics.
PROPERTIES = (
    *("hardness", "weight", "size", "animacy", "rigidity", "transparency", "roughness", "temperature", "containment"),
)

AFFORDANCES = (
    *("pushable", "graspable", "rollable", "stackable", "breakable", "containable", "throwable", "openable"),
)

# Figures of a whole clip: distance moved (m), highest point (m), largest speed (m/s), log10 of the largest force (N),
# level of the sound (dB), log2 of the centre of its spectrum (Hz), log10 of its decay (s) and of the contact (s).
OUTCOMES = (*("displacement", "peak_height", "peak_speed", "peak_force", "loudness", "pitch", "decay", "contact_time"),)

# What happened in a clip or did not: the object moved 1 cm, fell 1 cm, broke, was heard, touched its neighbour.
EVENTS = ("moved", "fell", "broke", "sounded", "collided")

# What an intervention changes; the last one is a placebo, which changes nothing that matters.
VARIABLES = (
    *("mass", "friction", "stiffness", "restitution", "size", "force", "gravity", "support", "neighbour", "colour"),
)
PLACEBO = "colour"
SWITCHES = ("support", "neighbour")  # present or absent; the others are multiplied, a colour is turned
