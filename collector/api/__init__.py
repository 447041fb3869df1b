"""The collector's own API: one set of operations, served as gRPC and as JSON over HTTP."""
