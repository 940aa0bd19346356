"""Pure rules of identity: no clock, no random, no I/O."""
