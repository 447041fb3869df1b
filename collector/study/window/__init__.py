"""Windows of a study: who comes, where arms stand, what all say together, and what follows."""
