"""A deterministic simulation of the whole road: five services, broker and stores in one process, on virtual time."""
