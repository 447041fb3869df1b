"""What flowed into what: the finders of edges, and the arbiter between them."""
