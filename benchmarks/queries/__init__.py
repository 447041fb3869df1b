"""How the cost of searches, dependencies and graphs grows with what is stored."""
