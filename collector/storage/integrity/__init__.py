"""Bytes that can be told from damaged ones: checksums, marks to find the way again, and what is kept of the rest."""
