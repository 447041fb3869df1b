"""What things cost; each prints its own table."""
