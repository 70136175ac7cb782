"""Layers of networks that several systems use."""
