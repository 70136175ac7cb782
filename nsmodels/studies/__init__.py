"""Studies of variants: a model with and without its parts, over the same seeds and items; one table for all systems."""
