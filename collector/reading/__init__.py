"""1 receive, the second half: from the bytes of an export request to what is kept of it, at no one else's cost."""
