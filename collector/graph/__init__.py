"""3 assemble: from the spans of one trace to its OPTO graph, and from that to the part an output depends on."""
