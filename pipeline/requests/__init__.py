"""Requests of runs: what they select, configure and tag, checked before anything starts."""
