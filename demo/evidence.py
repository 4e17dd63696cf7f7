"""How the guard's evidence grew in a demo: kept as it goes by, and drawn for the README.

`python -m demo.evidence` draws docs/evidence.svg from .lab/evidence.json, the last demo's.
"""

import json
import sys
import time
from dataclasses import dataclass, field
from math import log10

from pygal import XY, Config
from pygal.style import CleanStyle

from demo.kubectl import JSON
from demo.release import Listener
from demo.shop import PROJECT
from demo.story import nearest, weaker

RECORD = PROJECT / ".lab" / "evidence.json"
PICTURE = PROJECT / "docs" / "evidence.svg"
TITLES = {"v2": "v2, good", "v3": "v3, half of it fails", "v4": "v4, 800 ms slow"}
HIGHEST = 1e6
"""Evidence beyond it is drawn here: it would flatten all else."""


@dataclass
class Recorder:
    """Listens to releases beside another listener."""

    points: list[JSON] = field(default_factory=list)

    def beside(self, version: str, listener: Listener) -> Listener:
        """A listener that also notes this version's evidence."""
        began = time.time()

        def heard(status: JSON) -> None:
            found = nearest(status)
            if found is not None:
                evidence, needed = weaker(found), found["evidence"]["needed"]
                point = {"version": version, "seconds": time.time() - began}
                self.points.append(point | {"evidence": evidence, "needed": needed})
            listener(status)

        return heard

    def write(self) -> None:
        RECORD.write_text(json.dumps(self.points, indent=1) + "\n")


def drawn(points: list[JSON]) -> bytes:
    """An SVG: seconds since the apply to the evidence, in powers of ten."""
    chart = XY(Config(js=[]), style=CleanStyle, stroke_style={"width": 2}, dots_size=1.5)
    chart.title = "Evidence against a release (powers of ten)"
    chart.x_title = "seconds since kubectl apply"
    for version, title in TITLES.items():
        chart.add(title, [place(one) for one in points if one["version"] == version])
    longest = max(one["seconds"] for one in points)
    needed = log10(points[0]["needed"])
    chart.add("needed", [(0, needed), (longest, needed)], show_dots=False)
    return bytes(chart.render())


def place(point: JSON) -> tuple[float, float]:
    return round(point["seconds"], 1), round(log10(min(point["evidence"], HIGHEST)), 2)


def main() -> None:
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_bytes(drawn(json.loads(RECORD.read_text())))
    sys.stdout.write(f"{PICTURE.relative_to(PROJECT)}\n")


if __name__ == "__main__":
    main()
