"""A namespace offers its MetricTemplate and its AlertProvider to another, and takes them back."""

import base64
import json
import urllib.request
from typing import Any

import pytest

from delivery import names
from delivery.offers import binding, bindings
from delivery.optin import placed
from demo.kubectl import JSON
from demo.namespace import Namespace
from demo.shop import image
from demo.waiting import eventually
from tests.system.canaries import (
    BETTER,
    GOOD,
    analysis,
    canary,
    events_of,
    managed,
    reaches,
    says,
)
from tests.system.prometheus import program
from tests.system.test_limits import refusal
from tests.system.test_prometheus import template
from tests.system.test_rights import Account, Rights, expected

NAME, PORT = "tools", 8080
TOKEN = "token-of-the-tools"
KEY = "key-of-the-tools"
"""A part of the address: nobody may ever show it."""
UNOFFERED = "not offered by another namespace: "
REFUSED = ("error", "Failed checks threshold reached 2")
SCRIPT = """
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
TOKEN = "Bearer %s"
class Tools(BaseHTTPRequestHandler):
    lag, told = ["0.5"], []
    def do_GET(self):
        result = [{"metric": {}, "value": [1, self.lag[-1]]}]
        said = {"status": "success", "data": {"resultType": "vector", "result": result}}
        status = 200 if self.headers.get("Authorization") == TOKEN else 401
        self.answer(200, self.told) if self.path == "/told" else self.answer(status, said)
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.lag.append("9") if self.path == "/lag" else self.told.append(json.loads(body))
        self.answer(200, {})
    def answer(self, status, said):
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
ThreadingHTTPServer(("", %d), Tools).serve_forever()
"""


def tools(place: Namespace) -> list[JSON]:
    """A Prometheus with one value and a chat system in one pod, and how they are asked."""
    address = f"http://{NAME}.{place.name}:{PORT}"
    probe = {"tcpSocket": {"port": PORT}, "periodSeconds": 1}
    command = ["python3", "-c", SCRIPT % (TOKEN, PORT)]
    container = {"image": image("shop"), "command": command, "readinessProbe": probe}
    data = {"token": TOKEN, "address": f"{address}/{KEY}"}
    coded = {key: base64.b64encode(text.encode()).decode() for key, text in data.items()}
    secret: JSON = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login"}}
    login = {"name": "login"}
    return [
        *program(NAME, container, PORT),
        {**secret, "data": coded},
        template("lag", "lag", address=address, secretRef=login),
        {
            "apiVersion": "flagger.app/v1beta1",
            "kind": "AlertProvider",
            "metadata": {"name": "chat"},
            "spec": {"type": "webhook", "secretRef": login},
        },
    ]


def judged_by(place: Namespace) -> JSON:
    lag = {"name": "lag", "namespace": place.name}
    chat = {"name": "chat", "namespace": place.name}
    metric = {"name": "lag", "templateRef": lag, "thresholdRange": {"max": 1}}
    alert = {"name": "ops", "severity": "error", "providerRef": chat}
    return canary(analysis=analysis(metrics=[metric], alerts=[alert], delay="1500ms"))


def rights(agents: Namespace, place: Namespace) -> Rights:
    """What the agents of one namespace may do in another, beyond what everybody may."""
    everybody = Account("nobody", "default", "default").rights()
    found = Account(names.AGENT, agents.name, place.name).rights()
    return {key: verbs for key, verbs in found.items() if key not in everybody}


def offered(place: Namespace, to: str) -> None:
    said = f"{names.OFFERS_TO}={to}" if to else f"{names.OFFERS_TO}-"
    place.kubectl("annotate", "namespace", place.name, said, "--overwrite")


def condition(place: Namespace) -> JSON:
    """The one that names what is not offered; empty where there is none."""
    found = place.status().get("conditions", [])
    return next((one for one in found if one["type"] == "Offered"), {})


@pytest.mark.soak
@pytest.mark.minutes
def test_what_another_namespace_offers_judges_and_tells_and_nothing_else_is_read(
    namespace: Namespace, plain_namespace: Namespace
) -> None:
    shop, lender = namespace, plain_namespace
    lender.kubectl.apply(tools(lender))
    managed(shop, judged_by(lender))
    fix = f"kubectl annotate namespace {lender.name} outrider.dev/offers-to={shop.name}"
    eventually("it is said", lambda: fix in condition(shop).get("message", ""))
    assert rights(shop, lender) == {}

    shop.kubectl.apply(GOOD.manifests())
    says(shop, UNOFFERED)
    offered(lender, f"elsewhere, {shop.name}")
    says(shop, "kubectl -n " + lender.name + " create role outrider-offers-secrets")
    assert shop.status()["phase"] == "Initialized"
    allowed = ("--verb=get", "--resource=secrets", "--resource-name=login")
    lender.kubectl("create", "role", names.OFFERED_SECRETS, *allowed)
    reaches(shop, "Succeeded")
    assert (condition(shop), rights(shop, lender)) == (
        {},
        expected("an agent, where it is offered"),
    )
    warmed_up_first(shop)
    halts_when_it_is_taken_back(shop, lender)

    ask(lender, "lag", method="POST")
    offered(lender, "*")
    reaches(shop, "Failed")
    eventually("it is told", lambda: ask(lender, "told"), timeout=30)
    (alert,) = ask(lender, "told")
    assert (alert["severity"], alert["message"]) == REFUSED
    nothing_secret_is_shown(shop)


def halts_when_it_is_taken_back(shop: Namespace, lender: Namespace) -> None:
    """In the middle of a release, which a pause keeps from its first weight."""
    told(shop, "outrider.dev/pause=true")
    shop.kubectl.apply(BETTER.manifests())
    reaches(shop, "Progressing")
    offered(lender, "")
    eventually("it is taken back", lambda: rights(shop, lender) == {}, timeout=20)
    eventually("it is noticed", lambda: condition(shop), timeout=20)
    told(shop, "outrider.dev/pause-")
    says(shop, UNOFFERED)
    assert shop.status().get("canaryWeight", 0) == 0


def warmed_up_first(place: Namespace) -> None:
    """Said once, and in front of the first weight."""
    texts = [one["message"] for one in events_of(place, "Canary", "shop")]
    (warming,) = [text for text in texts if "warms up for 1.5s" in text]
    (first,) = [text for text in texts if text.endswith("canary weight 20")]
    assert texts.index(warming) < texts.index(first)


def told(place: Namespace, word: str) -> None:
    place.kubectl("annotate", "canary", "shop", word)


def ask(place: Namespace, path: str, method: str = "GET") -> Any:
    request = urllib.request.Request(f"{place.address(NAME, PORT)}{path}", method=method)
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer)


def nothing_secret_is_shown(place: Namespace) -> None:
    logs = place.kubectl("logs", "--selector=app.kubernetes.io/name=outrider-agent", "--tail=-1")
    for text in (logs, str(place.list("Event")), str(place.read("Canary", "shop"))):
        assert KEY not in text
        assert TOKEN not in text


def test_the_webhook_hands_on_nothing_but_what_is_offered(plain_namespace: Namespace) -> None:
    lender = plain_namespace.name
    asked = {"metadata": {"name": lender, "annotations": {names.OFFERS_TO: "shop,default"}}}
    good = [dict(one) for one in bindings([asked], ["shop", "default"])]
    assert ["offers-to" in refusal(one) for one in good] == [True, True]
    offered(plain_namespace, "shop, default")
    eventually("they are taken", lambda: [refusal(one) for one in good] == ["", ""])

    plain, secrets = good
    subject, _ = plain["subjects"]
    admin = {**plain["roleRef"], "name": "admin"}
    beyond = [
        placed(binding(names.OFFERS, "ClusterRole", ["kube-system"]), lender),
        {**plain, "roleRef": admin},
        {**secrets, "roleRef": plain["roleRef"]},
        {**secrets, "subjects": [{**subject, "name": "shop"}]},
        placed(binding(names.AGENT, "ClusterRole", ["shop"]), lender),
        placed(binding("outrider-others", "ClusterRole", ["shop"]), lender),
    ]
    for one in beyond:
        assert refusal(dict(one)), one
