"""The simulator itself: a small part of its run, so that it cannot rot."""
