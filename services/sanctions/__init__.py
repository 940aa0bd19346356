"""Joint action: a listed organisation makes tasks for the departments that a memorandum obliges."""
