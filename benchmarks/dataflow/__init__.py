"""How much of the true dataflow of recorded workflows the graph shows."""
