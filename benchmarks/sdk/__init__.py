"""What the SDK costs an application."""
