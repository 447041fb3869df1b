"""Sockets: who may connect, how long a request may take, and how much of it is taken in before anybody is known."""
