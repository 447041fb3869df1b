"""Functions as parameters: what their source may be, how it takes the declared one's place, how it is tried apart."""
