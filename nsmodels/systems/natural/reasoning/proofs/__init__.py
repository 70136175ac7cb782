"""Proofs of answers: found, replayed, drawn, and what changes without one of their facts."""
