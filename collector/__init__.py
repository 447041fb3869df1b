"""The collector: receives OTLP, rebuilds the OPTO graph, attaches feedback, optimizes and publishes releases."""
