"""Materials: figures of handbooks, one column each, and what they look like.

Sources by column:

- Young's modulus, density, strength (the bending strength of brittle materials, the yield strength of others), thermal
  conductivity and heat capacity, of which the effusivity is made: Ashby, *Materials Selection in Mechanical Design*
  (appendix on data of engineering materials), and the Materials Data Book of the Cambridge University Engineering
  Department (2003). Wood, along the grain: *Wood Handbook* (Forest Products Laboratory), chapter 5.
- Poisson's ratio: Lai, Rubin and Krempl, *Introduction to Continuum Mechanics*, table 5.2: steel .30, aluminium .32 to
  .34, glass .21 to .27.
- Loss factor: Cremer, Heckl and Petersson, *Structure-Borne Sound*. Bare metals have 1e-5 (aluminium) to 1e-4 (steel);
  the 1e-3 and 1.5e-3 here are those of objects that are held or lie somewhere, as courses on machine dynamics list them
  for steel. The order of the materials is that of the bare ones, but for aluminium.
- Indentation hardness: Ashby for metals (180 and 50 of Vickers), glass and porcelain; stone is granite, between its
  feldspar (6 to 7 GPa) and its quartz (11 GPa); wood is the Janka hardness of a hardwood over the area of the ball.
- Friction and restitution against a hard table: Hutchings and Shipway, *Tribology*; Stronge, *Impact Mechanics*. They
  depend on both surfaces, speed and dirt more than any other column; only their order is meant.
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
