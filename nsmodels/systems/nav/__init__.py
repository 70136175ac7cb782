"""The tiny recursive navigator: one network that plans on grid maps by thinking in steps, taught by exact search."""
