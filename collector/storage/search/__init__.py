"""Finding telemetry in segments: which traces, which names, who called whom."""
