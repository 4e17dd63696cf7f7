"""What can go wrong between us and the Kubernetes API, as named errors."""


class ClusterError(Exception):
    """The API could not be reached or refused a call; `status` is the HTTP status, 0 if none."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status

    @property
    def is_refusal(self) -> bool:
        """Of this one call: whoever asks for something else may well be answered."""
        return self.status >= 400 and self.status not in AWAY


class Conflict(ClusterError):
    """The object changed since it was read, or another writer owns the field."""


class Missing(ClusterError):
    """The object, or its kind, is not there."""


class Forbidden(ClusterError):
    """Our ServiceAccount may not do this."""


class Unreachable(ClusterError):
    """No answer: refused, reset or timed out."""


AWAY = frozenset({401, 408, 429, 502, 503, 504})
"""Of the API server as it is just now, whatever is asked of it. 500 is none of them: so it speaks
where a policy's own webhook does not answer."""

BY_STATUS: dict[int, type[ClusterError]] = {403: Forbidden, 404: Missing, 409: Conflict}
