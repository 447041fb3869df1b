"""The problem instance as text: what a model sees of a request."""
