"""The webhook's image has less in it than the agent's: what it lacks must not be imported."""

import subprocess
import sys

LACKING = ("envoy", "google", "grpc", "xds")
LISTED = "import sys, webhook.__main__; print(*sys.modules)"


def test_the_webhook_imports_nothing_that_its_image_lacks() -> None:
    done = subprocess.run(
        (sys.executable, "-c", LISTED), capture_output=True, text=True, check=True
    )
    found = {name.partition(".")[0] for name in done.stdout.split()}
    assert found & set(LACKING) == set()
    assert "delivery" in found
