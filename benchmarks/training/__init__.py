"""What `otel_opto.train` makes of a real small model's instruction."""
