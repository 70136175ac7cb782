"""Evaluation on a CLEVR folder."""
