"""What tests share: the driver of aggregates, the stack, outside readers."""
