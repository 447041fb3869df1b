"""Generated from proto/otel_opto/v1 by scripts/generate; never edited."""
