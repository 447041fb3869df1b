"""Training on a data set: candidates are made, measured on examples, selected, and shown to be better, or not."""
