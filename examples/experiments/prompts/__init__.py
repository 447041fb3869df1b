"""Prompts found by feedback: four small tasks for a language model, each with exactly one right answer."""
