"""OTLP's bytes: checked on the way in, decoded into the core's types when they are read."""
