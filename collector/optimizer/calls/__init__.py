"""Calls of language models: asked over HTTP, paid for, repeated where that helps, and seen."""
