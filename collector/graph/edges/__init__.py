"""Finders of edges: what spans state, calls of tools, which output stands in which input, what came before."""
