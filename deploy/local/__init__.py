"""The stack on one machine without containers: broker, registry, databases and services under one supervisor."""
