"""Spaces of values, and how they are walked."""
