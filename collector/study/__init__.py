"""5 optimize, over time: studies, their trials and what becomes of them."""
