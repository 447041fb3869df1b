"""What the search finds in so many trials, beside plain TPE and chance."""
