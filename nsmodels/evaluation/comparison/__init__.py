"""Comparison of a model with baselines on the same items: rows over seeds, sealed tables, the figure."""
