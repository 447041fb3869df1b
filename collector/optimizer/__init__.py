"""5 optimize: proposes better values from judged subgraphs and from the history of a study."""
