"""Checks of Dagster's commands before they start anything: what they select, configure and partition."""
