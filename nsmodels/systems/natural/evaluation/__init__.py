"""Scores of answers: rows, official metrics, proofs, calibration, objects, latency."""
