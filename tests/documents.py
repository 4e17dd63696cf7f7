"""Documents that tests read, by the parser written in C: the cases and the CRDs are long."""

from pathlib import Path
from typing import Any

import yaml


def document(path: Path) -> Any:
    """The only one in a file."""
    return yaml.load(path.read_text(), yaml.CSafeLoader)  # a safe loader


def documents(text: str) -> list[Any]:
    return list(yaml.load_all(text, yaml.CSafeLoader))  # a safe loader
