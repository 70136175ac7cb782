"""English of descriptions and of whole sentences."""
