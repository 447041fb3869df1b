"""What experiments share: how they are run, what is kept of them, and how a page is made of it."""
