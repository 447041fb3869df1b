"""What was decided and said: each noun in tables of the control database."""
