"""A simulator of the national platform: a separate program with its own store, able to refuse, delay and fail."""
