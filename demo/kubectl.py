"""kubectl as a user runs it: each call has a time-out, and a failure repeats what kubectl said."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

JSON = dict[str, Any]


class KubectlFailed(Exception):
    """kubectl ended with another status than expected; the message is what it wrote."""


@dataclass(frozen=True)
class Said:
    """What one call of kubectl left behind."""

    status: int
    output: str
    errors: str


@dataclass(frozen=True)
class Kubectl:
    """kubectl in one namespace of the cluster that KUBECONFIG names."""

    namespace: str = "default"

    def __call__(self, *words: str, stdin: str | None = None, timeout: float = 60) -> str:
        """The output of a call that must succeed."""
        return self.say(*words, stdin=stdin, timeout=timeout).output

    def say(self, *words: str, stdin: str | None = None, timeout: float = 60) -> Said:
        """A call that must succeed, with its warnings too."""
        said = self.attempt(*words, stdin=stdin, timeout=timeout)
        if said.status:
            raise KubectlFailed(f"kubectl {' '.join(words)}: {said.errors or said.output}")
        return said

    def attempt(self, *words: str, stdin: str | None = None, timeout: float = 60) -> Said:
        """A call that may fail."""
        command = ("kubectl", "--namespace", self.namespace, *words)
        done = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            # A quarter of a short life went into collecting garbage.
            env={**os.environ, "GOGC": "off"},
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def apply(self, manifests: Sequence[Mapping[str, Any]], *options: str) -> Said:
        """`kubectl apply -f -` of these manifests, as from a file in Git."""
        return self.say("apply", *options, "-f", "-", stdin=as_yaml(manifests))

    def differences(self, manifests: Sequence[Mapping[str, Any]], *options: str) -> str:
        """`kubectl diff`: nothing when an apply of these manifests would change nothing."""
        said = self.attempt("diff", *options, "-f", "-", stdin=as_yaml(manifests))
        if said.status > 1:
            raise KubectlFailed(f"kubectl diff: {said.errors}")
        return said.output

    def json(self, *words: str) -> JSON:
        parsed: JSON = json.loads(self(*words, "-o", "json"))
        return parsed


def as_yaml(manifests: Sequence[Mapping[str, Any]]) -> str:
    return yaml.safe_dump_all([dict(manifest) for manifest in manifests], sort_keys=False)
