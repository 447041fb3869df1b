"""How soon a release is with everybody who watches, and what watchers cost."""
