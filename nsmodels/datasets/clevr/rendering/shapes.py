"""Ray intersections and normals of the three CLEVR solids, compiled: sphere, capped cylinder, box; edges bevelled.

Legend: one row of a table `objects` (n, COLUMNS) is one solid: centre x, y, z; half extent e; cosine and sine of its
rotation about z; shape; material; linear red, green, blue; radius of the bounding sphere; radius b of the bevel.
Lengths are in scene units. A bevelled solid is the set of points within b of the same solid shrunk to e - b.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nsmodels.datasets.clevr.vocabulary import MATERIALS, SHAPES

# Divisions need no check for zero, and sums may be reordered: no infinities or NaN occur.
OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": {"reassoc", "contract", "arcp", "nsz"}}
compiled = njit(**OPTIONS)

COLUMNS = 13
COS, SIN, SHAPE, MATERIAL, RED, BOUND, BEVEL = 4, 5, 6, 7, 8, 11, 12
CUBE, SPHERE, CYLINDER = 0, 1, 2
MISS = 1e30  # distance of a ray that meets nothing
MARCH_STEPS = 40
TOLERANCE = 2e-4  # a hundredth of a pixel in an image 480 wide, at the origin's distance of 11 from the camera

HALF_EXTENT = {"large": 0.7, "small": 0.35}
COLOR_BYTES = {
    "gray": (87, 87, 87),
    "red": (173, 35, 35),
    "blue": (42, 75, 215),
    "green": (29, 105, 20),
    "brown": (129, 74, 25),
    "purple": (129, 38, 192),
    "cyan": (41, 208, 208),
    "yellow": (255, 238, 51),
}
# Bevel radius relative to the half extent, measured on official images; bounding radius likewise.
BEVEL_RATIO = (0.176, 0.0, 0.053)
BOUND_RATIO = (math.sqrt(3.0), 1.0, math.sqrt(2.0))


def object_table(objects: list[dict[str, Any]]) -> NDArray[np.float64]:
    """Objects of a scene in the released format → table (n, COLUMNS); `rotation` is taken as radians."""
    table = np.empty((len(objects), COLUMNS))
    for row, thing in zip(table, objects, strict=True):
        extent, shape = HALF_EXTENT[thing["size"]], SHAPES.index(thing["shape"])
        row[:4] = (*thing["3d_coords"], extent)
        row[COS : MATERIAL + 1] = (
            math.cos(thing["rotation"]),
            math.sin(thing["rotation"]),
            shape,
            MATERIALS.index(thing["material"]),
        )
        row[RED : RED + 3] = np.divide(COLOR_BYTES[thing["color"]], 255.0)
        row[BOUND:] = extent * BOUND_RATIO[shape], extent * BEVEL_RATIO[shape]
    return table


@compiled
def _interval(low: float, high: float, start: float, step: float, half: float) -> tuple[float, float]:
    """[low, high] cut to where |start + t · step| <= half; empty intervals are returned with low > high."""
    # Slab test (Kay and Kajiya, SIGGRAPH 1986): a ray is inside a box where it is between all pairs of parallel planes,
    # so the interval of the box is the intersection of one interval per axis. A ray parallel to the planes is between
    # them everywhere or nowhere.
    if abs(step) < 1e-12:
        return (low, high) if abs(start) <= half else (MISS, -MISS)
    near, far = (-half - start) / step, (half - start) / step
    return max(low, min(near, far)), min(high, max(near, far))


@compiled
def _distance(shape: int, extent: float, bevel: float, x: float, y: float, z: float) -> float:
    """Signed distance from a point in local coordinates to a bevelled cube or cylinder, negative inside."""
    # Distance to the shrunk solid minus the bevel. Per axis (for the cylinder: radius and height) the coordinate beyond
    # the shrunk solid counts; outside it is the Euclidean length of the positive ones, inside the largest, which is
    # negative. -1 never is the largest: a cylinder has two axes only.
    inner = extent - bevel
    if shape == CUBE:
        a, b, c = abs(x) - inner, abs(y) - inner, abs(z) - inner
    else:
        a, b, c = math.sqrt(x * x + y * y) - inner, -1.0, abs(z) - inner
    outside = math.sqrt(max(a, 0.0) ** 2 + max(b, 0.0) ** 2 + max(c, 0.0) ** 2)
    return outside + min(max(a, max(b, c)), 0.0) - bevel


@compiled
def _convex_hit(shape: int, e: float, bevel: float, p: tuple, d: tuple) -> float:
    """Distance along the local ray p + t · d to a cube or cylinder: exact hull first, then a march over its bevel."""
    # The hull is the solid without bevel. For the cylinder x² + y² = e² along the ray is a t² + 2 b t + c = 0 with
    # a = d_x² + d_y², b = p_x d_x + p_y d_y, c = p_x² + p_y² - e²; the ray is inside between (-b ± sqrt(b² - a c)) / a.
    low, high = _interval(0.0, MISS, p[2], d[2], e)
    if shape == CUBE:
        low, high = _interval(low, high, p[0], d[0], e)
        low, high = _interval(low, high, p[1], d[1], e)
    else:
        # A ray along the axis gets a tiny slope, which moves it by less than the tolerance.
        a, b = max(d[0] * d[0] + d[1] * d[1], 1e-12), p[0] * d[0] + p[1] * d[1]
        root = b * b - a * (p[0] * p[0] + p[1] * p[1] - e * e)
        if root < 0.0:
            return MISS
        root = math.sqrt(root)
        low, high = max(low, (-b - root) / a), min(high, (-b + root) / a)
    # Sphere tracing (Hart 1996): no surface is nearer than the signed distance, so a step of that length is safe. On a
    # flat face the first distance is 0 already; only rays near an edge take several steps, or leave the hull again.
    t = low
    for _ in range(MARCH_STEPS):
        if t > high:
            return MISS
        step = _distance(shape, e, bevel, p[0] + t * d[0], p[1] + t * d[1], p[2] + t * d[2])
        if step < TOLERANCE:
            return t
        t += step
    return t


@compiled
def hit(objects: NDArray[np.float64], i: int, o: tuple, d: tuple) -> float:
    """Distance t > 0 at which the ray o + t · d (d of unit length) meets solid i from outside, or MISS."""
    # Bounding sphere of radius R around c: with `along` the depth of c on the ray, |o + t d - c|² = R² has the roots
    # t = along ± sqrt(R² - |o - c|² + along²). For spheres this is the answer; the others need local coordinates: the
    # ray moved to the centre and rotated back by the solid's angle.
    x, y, z = o[0] - objects[i, 0], o[1] - objects[i, 1], o[2] - objects[i, 2]
    bound = objects[i, BOUND]
    along = -(x * d[0] + y * d[1] + z * d[2])
    root = bound * bound - (x * x + y * y + z * z) + along * along
    if root < 0.0 or along + bound < 0.0:
        return MISS
    shape = int(objects[i, SHAPE])
    if shape == SPHERE:
        t = along - math.sqrt(root)
        return t if t > 0.0 else MISS
    c, s = objects[i, COS], objects[i, SIN]
    start = (c * x + s * y, c * y - s * x, z)
    step = (c * d[0] + s * d[1], c * d[1] - s * d[0], d[2])
    return _convex_hit(shape, objects[i, 3], objects[i, BEVEL], start, step)


@compiled
def normal(objects: NDArray[np.float64], i: int, p: tuple) -> tuple[float, float, float]:
    """Unit outward normal of solid i at the surface point p, rounded over its bevel."""
    # The gradient of the signed distance: p minus the nearest point of the shrunk solid, i.e. the part of each local
    # coordinate beyond it. On a flat face one part is left, over an edge two, over a corner three.
    x, y, z = p[0] - objects[i, 0], p[1] - objects[i, 1], p[2] - objects[i, 2]
    shape, inner = int(objects[i, SHAPE]), objects[i, 3] - objects[i, BEVEL]
    if shape == SPHERE:
        e = objects[i, 3]
        return x / e, y / e, z / e
    c, s = objects[i, COS], objects[i, SIN]
    if shape == CUBE:
        u, v = c * x + s * y, c * y - s * x
        u, v = math.copysign(max(abs(u) - inner, 0.0), u), math.copysign(max(abs(v) - inner, 0.0), v)
        x, y = c * u - s * v, s * u + c * v
    else:
        radius = math.sqrt(x * x + y * y)
        scale = max(radius - inner, 0.0) / max(radius, 1e-9)
        x, y = x * scale, y * scale
    z = math.copysign(max(abs(z) - inner, 0.0), z)
    length = max(math.sqrt(x * x + y * y + z * z), 1e-9)
    return x / length, y / length, z / length


@compiled
def nearest(objects: NDArray[np.float64], mask: int, o: tuple, d: tuple) -> tuple[int, float]:
    """Index and distance of the first solid of the bit mask `mask` on the ray, or (-1, MISS)."""
    best, where = MISS, -1
    for i in range(objects.shape[0]):
        if mask >> i & 1:
            t = hit(objects, i, o, d)
            if t < best:
                best, where = t, i
    return where, best
