"""Generated from proto/collector/jaeger/v2 by scripts/generate; never edited."""
