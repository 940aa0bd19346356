"""The creditbus services."""
