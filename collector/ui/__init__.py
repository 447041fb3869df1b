"""The web page: what people look at and press. All that it shows it asks the API for, in this process."""
