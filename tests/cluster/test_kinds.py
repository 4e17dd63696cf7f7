import pytest

from cluster.kinds import KINDS, UnknownKind, kind_of


@pytest.mark.parametrize(
    ("kind", "namespace", "name", "path"),
    [
        ("Pod", None, None, "/api/v1/pods"),
        ("Pod", "shop", None, "/api/v1/namespaces/shop/pods"),
        ("Deployment", "shop", "web", "/apis/apps/v1/namespaces/shop/deployments/web"),
        ("Namespace", "ignored", "shop", "/api/v1/namespaces/shop"),
        ("Canary", "shop", "web", "/apis/flagger.app/v1beta1/namespaces/shop/canaries/web"),
    ],
)
def test_a_kind_knows_where_it_is_served(
    kind: str, namespace: str | None, name: str | None, path: str
) -> None:
    assert kind_of(kind).path(namespace, name) == path


def test_an_unknown_kind_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(UnknownKind, match="Deploymint.*Deployment") as caught:
        kind_of("Deploymint")
    assert all(name in str(caught.value) for name in KINDS)
