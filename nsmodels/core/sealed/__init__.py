"""Sealed folders: manifest, places and swap, unfinished work, what may be replaced, verification, inventory."""
