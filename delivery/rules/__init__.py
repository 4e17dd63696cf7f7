"""The rules of the state machine, a module for each stretch of a release."""
