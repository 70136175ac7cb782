"""Clips: short recordings of events, seen, heard and felt, with what is known of the objects in them."""
