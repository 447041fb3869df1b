"""Who may do what: bearer tokens with scopes, in front of every server."""
