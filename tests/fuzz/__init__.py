"""What comes in from outside, tried with anything at all: no input ends a process or stops a lane."""
