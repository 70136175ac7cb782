"""Image files: decoded whatever their kind, and kept as arrays at the size that a network reads."""
