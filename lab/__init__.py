"""The lab: a real Kubernetes node on a bare Linux machine, for the demo and the system tests."""
