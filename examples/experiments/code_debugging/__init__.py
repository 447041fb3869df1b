"""Functions mended by what their tests and the interpreter say."""
