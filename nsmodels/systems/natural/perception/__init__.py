"""Perception of photographs: from pixels to named objects, their attributes, relations and the place."""
