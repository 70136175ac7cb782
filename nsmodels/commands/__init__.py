"""Commands beside datasets and systems: what is on the disk, whether it is intact."""
