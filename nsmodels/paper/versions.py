"""Versions of what the paper is made of: a change makes the artifact again. Imports nothing, for the asset graph."""

TABLES_VERSION = "5"
SUPPLEMENT_VERSION = "3"
CARDS_VERSION = "1"
