"""What leaves a collector for other tools, and comes back."""
