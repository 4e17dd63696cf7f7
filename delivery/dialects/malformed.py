"""What is raised when an Envoy's statistics cannot be read."""


class StatsMalformed(ValueError):
    """Something that matters is not in the form that this Envoy speaks; the text says what."""
