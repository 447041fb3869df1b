"""Conventions whose shape no table holds: links, ordered attributes, events, whatever applications invent."""
