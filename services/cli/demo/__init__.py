"""The whole road once: practice agencies publish, and everything that must have arrived is counted from outside."""
