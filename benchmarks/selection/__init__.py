"""How often noise is released, and how often what is better is found: seeded simulations."""
