"""The webhook's image has less in it than the agent's: what it lacks must not be imported."""

import subprocess
import sys

LACKING = ("envoy", "google.protobuf", "grpc", "xds")
LISTED = "import sys, webhook.__main__; print(*sys.modules)"


def test_the_webhook_imports_nothing_that_its_image_lacks() -> None:
    done = subprocess.run(
        (sys.executable, "-c", LISTED), capture_output=True, text=True, check=True
    )
    found = done.stdout.split()
    assert "delivery.schema" in found
    assert [name for name in found if name.startswith(LACKING)] == []
