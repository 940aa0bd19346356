"""Exchange with the national platform: what is pushed, what it answered, and what has to be pushed again."""
