"""The dots."""

from pipeline.lib.dataset import Generated

VERDICTS = {"labels_follow_the_oracle": "Most labels are those of the oracle."}
DOTS = Generated("dots", "Points of the plane in two classes.", VERDICTS)
dots, dots_checks = DOTS.asset(), DOTS.checks()
