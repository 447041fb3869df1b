"""How long the prompts are that show a graph: ``python -m benchmarks.prompts``."""
