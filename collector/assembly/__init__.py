"""3 assemble: what a graph is made of is gathered here, and computed where it holds nothing else up."""
