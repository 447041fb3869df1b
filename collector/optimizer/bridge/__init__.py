"""Trace's own optimizers, of the package ``trace-opt``, on our graphs and with our calls of models."""
