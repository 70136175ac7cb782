"""The dots."""

from pipeline.lib import dataset

dots, dots_checks = dataset.generated(
    "dots",
    "Points of the plane in two classes.",
    {"labels_follow_the_oracle": "Most labels are those of the oracle."},
)
