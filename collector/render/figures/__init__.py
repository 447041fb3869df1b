"""Pictures of a few figures, beside those of scores."""
