"""Numbers found by words: random arithmetic graphs, and whether the output should be larger or smaller."""
