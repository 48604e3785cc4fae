"""One module a command: `add_arguments` declares what it takes, `run` gives its exit code."""
