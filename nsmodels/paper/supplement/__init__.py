"""The supplement: how everything was made, what it cost, proofs, and what did not work."""
