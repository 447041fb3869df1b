"""The API as an OpenAPI document, for who writes a client in another language."""
