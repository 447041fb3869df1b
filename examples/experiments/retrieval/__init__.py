"""The demo's retrieval application, improved without a model."""
