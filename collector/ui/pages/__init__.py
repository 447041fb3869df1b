"""What each page asks the API for, and what it makes of it."""
