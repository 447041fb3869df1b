"""Candidates in the making: what the model is shown beside the problem, and what of its answers can be used."""
