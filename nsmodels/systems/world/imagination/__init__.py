"""Clips imagined with other actions and changes, beside what the simulator makes of them."""
