"""Telemetry as it came: segments of requests, their indexes, and what is read of them by trace and by position."""
