"""Forwarding: what came goes on to other OTLP endpoints, as it came."""
