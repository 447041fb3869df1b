"""What a person does for a data directory: look through it, mend it, copy it away and back."""
