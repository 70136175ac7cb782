"""How old an asset may be before its page in the UI turns yellow, and red: one rule for all, by group."""

from __future__ import annotations

from datetime import timedelta

import dagster as dg


def within(warn_days: int, fail_days: int) -> dg.FreshnessPolicy:
    """Yellow after `warn_days` without a materialisation, red after `fail_days`; a reused artifact counts as fresh."""
    return dg.FreshnessPolicy.time_window(fail_window=timedelta(days=fail_days), warn_window=timedelta(days=warn_days))


WEEKLY = within(8, 9)  # the weekly schedule and a day to spare
BY_HAND = within(90, 180)
# What the clock does not make. Any other group, one that comes later too, is expected to be fresh every week.
BY_GROUP: dict[str, dg.FreshnessPolicy] = dict.fromkeys(
    ("archives", "datasets", "studies", "replicates", "trials"), BY_HAND
)


def apply(spec: dg.AssetSpec) -> dg.AssetSpec:
    """An asset with the policy of its group, unless it brings its own."""
    return dg.apply_freshness_policy(spec, BY_GROUP.get(spec.group_name or "", WEEKLY), overwrite_existing=False)
