"""Graphics of scenes: sprites, drawn things, tints, backgrounds."""
