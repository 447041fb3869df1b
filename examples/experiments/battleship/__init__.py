"""Battleship: where to shoot, decided by two functions whose source is trained."""
