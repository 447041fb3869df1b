"""How long a page of the collector takes, when much is stored: in the server, and until a browser paints it."""
