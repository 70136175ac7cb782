"""Labelled graphs: what the graph datasets emit and the graph reasoner reads; nothing in here knows a domain."""
