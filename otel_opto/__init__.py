"""The SDK of otel-opto: trainable parameters, nodes and feedback for an instrumented application."""
