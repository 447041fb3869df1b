"""2 store: everything durable, in one SQLite database."""
