"""What spans say, in any instrumentation's dialect, as operations in OPTO's words."""
