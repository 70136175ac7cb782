"""Impacts: short recordings of a hand that acts on an object, simulated, or read from files: seen, heard and felt."""
