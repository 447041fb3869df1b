"""How much an ingested span costs: ours, and what others spend on throwing it away."""
