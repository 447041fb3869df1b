"""Two services in two processes, HTTP between them; what they learn from comes late, and to neither of them."""
