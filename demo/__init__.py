"""The story of three releases on a real cluster, and what it shares with the system tests."""
