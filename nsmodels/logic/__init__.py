"""Rules over facts: a file format, chaining with proofs, exact probability, learning. Torch-free."""
