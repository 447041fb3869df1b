"""The collector as a running process: its configuration, its servers, what they do with the network, and its memory."""
