"""Scenes composed of drawn things, with every fact about them: the twin of natural images."""
