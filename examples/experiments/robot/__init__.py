"""A controller as a code parameter: a hand and a puck on a table, simulated by MuJoCo."""
