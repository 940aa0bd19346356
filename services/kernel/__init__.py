"""Pure values and rules of the field: standard library only, no clock, no chance, no input or output."""
