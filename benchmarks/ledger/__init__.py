"""What a study's state costs that is folded of the ledger's events."""
