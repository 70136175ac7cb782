"""Evaluation on a VQA folder by the official accuracy."""
