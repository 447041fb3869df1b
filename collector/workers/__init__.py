"""Long computations in processes of their own: few, begun when they are needed, killed when nobody waits."""
