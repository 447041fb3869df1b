"""A retrieval question-answering application: the example that `otel-opto demo` improves."""
