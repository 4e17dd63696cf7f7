"""The only code that speaks to the Kubernetes API, and how programs in a cluster log."""
