"""Jobs of a pipeline, as its users run them."""

import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from demo.kubectl import as_yaml
from demo.namespace import Namespace
from demo.shop import PROJECT, Shop

README = (PROJECT / "README.md").read_text()
PATIENCE = 300
"""Seconds that a release may take; the printed commands would wait for ten minutes."""


@dataclass(frozen=True)
class Job:
    """One job of a pipeline: it has applied, and waits."""

    shell: subprocess.Popen[str]

    def status(self) -> int:
        """Its exit status, which must be there long before the command's own time-out."""
        return self.shell.wait(timeout=PATIENCE)


def started(command: str) -> Job:
    return Job(subprocess.Popen(["sh", "-c", command], text=True, stdout=subprocess.DEVNULL))


def script(place: Namespace, shop: Shop, folder: Path) -> Job:
    """Applies and waits as the README says it to those who do not read warnings."""
    (found,) = re.findall(r"^(sh examples/apply\.sh .*)$", README, re.MULTILINE)
    file = folder / f"{shop.version}.yaml"
    file.write_text(as_yaml(shop.manifests()))
    said = {"examples/apply.sh": PROJECT / "examples/apply.sh", "examples/shop/shop.yaml": file}
    words = [str(said.get(word, word)) for word in shlex.split(found)]
    words[2] = place.name
    return started(shlex.join(words))
