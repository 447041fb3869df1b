"""Selecting: what is measured next, and what wins; not fooled by noise. Pure: no I/O, no clock."""
