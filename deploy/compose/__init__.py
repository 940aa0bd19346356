"""The same system in containers; written for Docker Compose and checked by its parser, not yet run by a daemon."""
