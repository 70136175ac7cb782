"""Impacts: objects that a hand pushes, lifts, strikes, squeezes, drops and tilts, simulated, heard, seen and felt."""
