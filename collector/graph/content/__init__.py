"""Which output is found in which input: the texts of a trace, and what counts as found."""
