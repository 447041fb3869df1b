"""6 publish: brings releases to the applications that watch."""
