"""Explanations: what a network believes round by round beside the oracle's trace, and what carried its answer."""
