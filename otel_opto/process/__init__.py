"""The SDK as a guest of a process: settings, providers, forks, threads, and what it says when something is wrong."""
