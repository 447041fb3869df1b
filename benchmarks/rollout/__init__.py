"""How often a rollout is wrong, and what it costs: seeded simulations."""
