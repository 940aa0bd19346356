"""Where it runs: the local stack, compose, monitoring, runbooks."""
