"""Sealed folders given to others and taken from them, with cards that describe them."""
