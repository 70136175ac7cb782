"""Scenes of named objects: what datasets of natural images and their twin share."""
