"""Materials: figures of handbooks, one column each, and what they look like.

The figures are those of the specification of this dataset. Each was looked up in the sources below, whose addresses are
in the README. A published range or value in brackets contains or is near ours; "not found" is a figure that no source
confirmed. An object differs from the figure of its material by up to 10 %, see `drawing/objects.py`.

- Young's modulus, GPa: steel [190-210], aluminium [70-73], glass [70], nylon [2.1-3.4], rubber [0.01-0.1], oak [11-12]
  (Gere and Ashby & Jones in a table of elastic constants); porcelain [67-150] (a database); granite [52] (a list).
- Density, kg/m3: steel 7860, aluminium 2710 (Halliday, Resnick & Walker); glass [2400-2800] (an engineer's handbook);
  porcelain [2300-3000]; granite [2600-2800]; maple 630, nylon 1150, natural rubber 1150 (a mechanical handbook).
- Poisson's ratio: steel [.27-.30], aluminium .33, glass [.17-.27], rubber [.45-.50], plastics [.35-.40]. Ours of
  porcelain, .22, is above the .17 of the database, that of wood above the .30 of oak; that of granite was not found.
- Loss factor: of steel the order 1e-3 (a course on smart structures). Bare metals have less, aluminium 1e-4 and iron
  2e-4 to 6e-4 (Cremer & Heckl); a synthesizer of modal sounds takes more, .006 for steel and glass, .014, .04, .1 and 1
  for aluminium, ceramic, wood and rubber. Ours are below those, and of metals above the bare ones; none found.
- Indentation hardness: 600-750 of Vickers for feldspar, 900-1280 for quartz, of which granite is made (7 GPa is 714);
  porcelain between 600 of Knoop (the database) and 1567 of Vickers (Fahlman). The others were not found: steel and
  aluminium are 180 and 50 of Vickers, wood is the Janka hardness of a hardwood over the area of the ball.
- Friction on a table of wood: metals [.2-.6], wood [.25-.5], plastic on steel [.25-.45], rubber on concrete [.7-1.0].
  Those of glass, ceramic and stone were not found.
- Restitution: of balls on a hard floor wood .60, plastic .69, rubber .83, glass .66, steel .60 (a factbook). Ours of
  glass and steel are above those; of ceramic and stone none was found. It depends on both bodies, on speed and on dirt.
- Strength, MPa: what breaks the brittle ones, and what yields or breaks the others: A36 steel 400, aluminium [35-500],
  glass [30 and more], porcelain [43-160] when bent, maple 109, nylon 60, natural rubber [20-30]; granite was not found.
- Effusivity, sqrt(k rho c), of the conductivity, density and heat capacity of CIBSE Guide A: steel 12,980, aluminium
  23,380, glass 1,485, glazed ceramic 1,715, PVC 470, rubber 610; granite [2,320-2,640]; hardwood 380.
"""

from __future__ import annotations

import numpy as np

from nsmodels.datasets.impacts.config import MATERIALS

COLUMNS = ("young", "density", "poisson", "loss", "hardness", "friction", "restitution", "strength", "effusivity")
# Pa, kg/m3, -, -, Pa, -, -, Pa, W s^.5 / (m2 K)
FIGURES = np.array(
    [
        (200e9, 7850, 0.30, 1.0e-3, 1.80e9, 0.45, 0.80, 400e6, 13_400),  # steel
        (70e9, 2700, 0.33, 1.5e-3, 0.50e9, 0.45, 0.70, 200e6, 22_000),  # aluminium
        (70e9, 2500, 0.22, 2.0e-3, 5.50e9, 0.35, 0.85, 45e6, 1_450),  # glass
        (100e9, 2400, 0.22, 4.0e-3, 8.00e9, 0.40, 0.80, 70e6, 1_800),  # ceramic (porcelain)
        (50e9, 2650, 0.25, 8.0e-3, 7.00e9, 0.60, 0.70, 15e6, 2_300),  # stone (granite)
        (11e9, 650, 0.35, 1.5e-2, 0.03e9, 0.45, 0.55, 80e6, 410),  # wood
        (3e9, 1150, 0.38, 3.5e-2, 0.18e9, 0.35, 0.65, 60e6, 570),  # plastic
        (0.01e9, 1150, 0.49, 0.3, 2.0e6, 0.90, 0.75, 20e6, 590),  # rubber
    ]
)
BRITTLE = np.array([name in ("glass", "ceramic", "stone") for name in MATERIALS])
# What they look like without paint, RGB, and the spread of an object's own shade.
COLOURS = np.array(
    [
        (0.56, 0.57, 0.60),
        (0.78, 0.79, 0.82),
        (0.62, 0.80, 0.76),
        (0.93, 0.90, 0.84),
        (0.47, 0.45, 0.42),
        (0.66, 0.45, 0.26),
        (0.80, 0.74, 0.30),
        (0.16, 0.15, 0.16),
    ]
)
SHADE = 0.04
# Highest and lowest transparency, roughness (both as in `names.PROPERTIES`) of what is not painted.
TRANSPARENCY = np.array([(0, 0), (0, 0), (0.6, 0.95), (0, 0.05), (0, 0), (0, 0), (0, 0.6), (0, 0)])
ROUGHNESS = np.array([(0.05, 0.5), (0.1, 0.6), (0, 0.25), (0.05, 0.4), (0.4, 1), (0.35, 0.95), (0.05, 0.5), (0.4, 0.9)])
