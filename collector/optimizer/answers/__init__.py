"""From the text that a language model writes to values in their parameters' types."""
