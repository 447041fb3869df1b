"""What a model makes of two small tasks as the optimizer of a real study."""
