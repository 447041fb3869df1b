"""The reference: every Protocol of the store as plainly as can be, in memory. What tests compare the others with."""
