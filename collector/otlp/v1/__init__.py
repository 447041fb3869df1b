"""Generated from proto/collector/otlp/v1 by scripts/generate; never edited."""
