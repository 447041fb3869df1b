"""Which trace, which span, which service: one answer for every door."""
