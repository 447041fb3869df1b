"""What every command has to do with the terminal: its options, and how it prints."""
