"""The vocabulary and the seams: frozen dataclasses and Protocols. Standard library only, no I/O, no clock."""
