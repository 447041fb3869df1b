"""A function with failing tests, which an optimizer mends by what the interpreter says."""
