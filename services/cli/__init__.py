"""The command line `credit`."""
