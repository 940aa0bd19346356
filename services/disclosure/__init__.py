"""Disclosure: what may be shown of whom, and the two feeds that tell how it changes."""
