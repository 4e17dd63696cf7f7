"""An alert that is still to be told, and who wants to hear of what."""

from dataclasses import dataclass

INFO, WARN, ERROR = "info", "warn", "error"
SEVERITIES = (INFO, WARN, ERROR)


@dataclass(frozen=True)
class Alert:
    """What happened, in which phase; `at` is seconds since the epoch and tells it from others.

    `detailed` says that it begins something: then what applies is told with it.
    """

    severity: str
    text: str
    detailed: bool = False
    phase: str = ""
    at: float = 0.0


@dataclass(frozen=True)
class Route:
    """One of `spec.analysis.alerts`: an AlertProvider by name, and what it is to hear.

    It is of the Canary's own namespace unless `namespace` says another. `everybodys` is one that
    the installation names for all Canaries without an own word: nothing waits for it.
    """

    name: str
    provider: str
    severity: str = INFO
    namespace: str = ""
    everybodys: bool = False

    def wants(self, alert: Alert) -> bool:
        """All of it from info on; else just that severity, and errors with warnings."""
        heard = {INFO: SEVERITIES, WARN: (WARN, ERROR)}.get(self.severity, (self.severity,))
        return alert.severity in heard
