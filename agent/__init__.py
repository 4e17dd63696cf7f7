"""The agent of one namespace: looks, decides, acts."""
