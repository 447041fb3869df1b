"""The spans of a trace before any edge is: who called whom, when by one clock, and what each of them says."""
