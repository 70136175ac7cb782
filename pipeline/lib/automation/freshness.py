"""Freshness policies by group: the age at which the page of an asset in the UI turns yellow, and red."""

from __future__ import annotations

from datetime import timedelta

import dagster as dg


def within(warn_days: int, fail_days: int) -> dg.FreshnessPolicy:
    """A policy that warns after `warn_days` without a materialisation and fails after `fail_days`.

    A materialisation that reuses an artifact counts.
    """
    return dg.FreshnessPolicy.time_window(fail_window=timedelta(days=fail_days), warn_window=timedelta(days=warn_days))


WEEKLY = within(8, 9)  # the weekly schedule with a day of tolerance
BY_HAND = within(90, 180)
# Groups without a schedule; every other group, new ones included, is `WEEKLY`.
BY_GROUP: dict[str, dg.FreshnessPolicy] = dict.fromkeys(
    ("archives", "datasets", "studies", "replicates", "trials"), BY_HAND
)


def apply(spec: dg.AssetSpec) -> dg.AssetSpec:
    """The asset with the policy of its group, unless it has its own."""
    return dg.apply_freshness_policy(spec, BY_GROUP.get(spec.group_name or "", WEEKLY), overwrite_existing=False)
