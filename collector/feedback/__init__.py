"""4 attach: feedback out of telemetry, to the span that it judges, and into the batch that closes a trial."""
