"""The admission program and the opt-in of namespaces."""
