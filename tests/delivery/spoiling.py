"""What may stand in an annotation, or in a status, after somebody wrote there by hand."""

import json
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from delivery import names
from delivery.ownership import LAST_APPLIED
from delivery.routers.istio_taken import FLAGGERS_ORIGIN

WORDS = (
    *("selector", "targetPorts", "80", "rules", "services", "spec", "http", "tcp", "route"),
    *("destination", "host", "weight", "match", "headers", "backendRefs", "name", "filters"),
    *("matches", "queryParams", "nodeSelector", "tolerations", "type", "value", "user", "at"),
    *("responseHeaderModifier", "urlRewrite", "path", "add", "app", "web", "shop", "mirrors"),
)
LONG = ("9" * 5000, "[" * 100_000, "²", "٣", "1e999", '{"web":{"80":1e999}}', '{"²": 1}')
MARKS = (
    *(one for one in vars(names).values() if isinstance(one, str) and one.startswith(names.PREFIX)),
    LAST_APPLIED,
    FLAGGERS_ORIGIN,
)

leaves = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(WORDS) | st.text()
)
documents = st.recursive(
    leaves,
    lambda one: (
        st.lists(one, max_size=3)
        | st.lists(one, min_size=3, max_size=3)
        | st.dictionaries(st.sampled_from(WORDS), one, max_size=4)
    ),
    max_leaves=12,
)
texts = st.sampled_from(LONG) | documents.map(json.dumps) | st.text()
annotations = st.dictionaries(st.sampled_from(MARKS), texts, min_size=1, max_size=4)


def annotated(item: Mapping[str, Any], said: Mapping[str, str]) -> dict[str, Any]:
    metadata = item["metadata"]
    found = {**(metadata.get("annotations") or {}), **said}
    return {**item, "metadata": {**metadata, "annotations": found}}
