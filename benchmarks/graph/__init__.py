"""What it costs to assemble a trace graph and its minimal subgraph: ``python -m benchmarks.graph``."""
