"""The Trace paper's experiments through the project's ordinary API, with baselines in the same run."""
