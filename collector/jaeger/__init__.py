"""The store read by Jaeger: remote storage over gRPC, and the query API over HTTP."""
