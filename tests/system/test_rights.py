"""What the programs may do, by the API server's own answers."""

import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import yaml

from cluster.api import Api, connect
from delivery import names
from demo.install import SYSTEM, WEBHOOK
from demo.kubectl import JSON, Kubectl
from demo.namespace import Namespace, kubeconfig

TABLE = yaml.safe_load((Path(__file__).parent / "rights.yaml").read_text())
VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
ABOVE = ("bind", "escalate", "impersonate", "approve", "sign")
AT_ONCE = 8
REVIEWS = "/apis/authorization.k8s.io/v1"

Rights = dict[str, set[str]]


@dataclass(frozen=True)
class Account:
    """A ServiceAccount, and where it is looked at."""

    name: str
    home: str
    place: str

    @property
    def user(self) -> str:
        return f"system:serviceaccount:{self.home}:{self.name}"

    def rights(self) -> Rights:
        """By the API server's own list, which must be a whole one."""
        body = {"spec": {"namespace": self.place}}
        path = f"{REVIEWS}/selfsubjectrulesreviews"
        status = impersonating(self.user).call("POST", path, body=body)["status"]
        assert not status["incomplete"], status
        return listed(status["resourceRules"])


def impersonating(user: str) -> Api:
    connection = connect(kubeconfig())
    connection.default_headers["Impersonate-User"] = user
    return Api(connection)


def listed(rules: list[JSON]) -> Rights:
    found: Rights = {}
    for rule in rules:
        each = (rule["apiGroups"], rule["resources"], rule.get("resourceNames") or [""])
        for group, resource, name in itertools.product(*each):
            key = " ".join(filter(None, (".".join(filter(None, (resource, group))), name)))
            found.setdefault(key, set()).update(rule["verbs"])
    return found


def accounts(place: str) -> dict[str, Account]:
    return {
        "the webhook, everywhere": Account(WEBHOOK, SYSTEM, place),
        "the webhook, in its own namespace": Account(WEBHOOK, SYSTEM, SYSTEM),
        "an agent, in its own namespace": Account(names.AGENT, place, place),
        "an agent, elsewhere": Account(names.AGENT, place, "default"),
        "a router": Account("default", place, place),
    }


def expected(who: str) -> Rights:
    return {key: set(verbs.split()) for key, verbs in TABLE[who].items()}


def test_each_account_may_do_what_the_table_says_and_nothing_else(bound: Namespace) -> None:
    everybody = Account("nobody", "default", "default").rights()
    for who, account in accounts(bound.name).items():
        found = account.rights()
        assert {key: verbs for key, verbs in found.items() if key not in everybody} == expected(
            who
        ), who


TRIED = ("the webhook, everywhere", "an agent, in its own namespace", "an agent, elsewhere")
BELOW = ("pods/exec", "pods/log", "serviceaccounts/token", "deployments/scale.apps")


@dataclass(frozen=True)
class Attempt:
    """One verb of one account on a resource, by its name or without one."""

    account: Account
    resource: str
    name: str
    verb: str

    def allowed(self, api: Api) -> bool:
        resource, _, group = self.resource.partition(".")
        resource, _, below = resource.partition("/")
        asked = {"resource": resource, "subresource": below, "group": group, "verb": self.verb}
        asked |= {"namespace": self.account.place, "name": self.name}
        home = self.account.home
        groups = ["system:serviceaccounts", f"system:serviceaccounts:{home}"]
        user = {"user": self.account.user, "groups": [*groups, "system:authenticated"]}
        body = {"spec": {**user, "resourceAttributes": asked}}
        return bool(
            api.call("POST", f"{REVIEWS}/subjectaccessreviews", body=body)["status"]["allowed"]
        )

    def expected(self, table: Rights) -> bool:
        keys = {self.resource, f"{self.resource} {self.name}"}
        return any(self.verb in table.get(key, ()) for key in keys)


def attempts(account: Account, table: Rights, served: Sequence[str]) -> Iterator[Attempt]:
    """Every verb on all that the API server knows; and on what has one name in the table."""
    named = (key.partition(" ")[::2] for key in table if " " in key)
    for resource, name in (*((one, "") for one in served), *named):
        verbs = (*VERBS, *ABOVE) if "rbac" in resource else VERBS
        yield from (Attempt(account, resource, name, verb) for verb in verbs)


def test_every_verb_on_every_resource_is_answered_as_the_table_says(bound: Namespace) -> None:
    everybody = Account("nobody", "default", "default").rights()
    listed = Kubectl()("api-resources", "-o", "name").split()
    served = [one for one in (*listed, *BELOW) if one not in everybody]
    known = accounts(bound.name)
    tries = [
        (one, one.expected(expected(who)))
        for who in TRIED
        for one in attempts(known[who], expected(who), served)
    ]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = pool.map(lambda pair: pair[0].allowed(bound.api), tries)
    wrong = [one for (one, right), allowed in zip(tries, answers, strict=True) if allowed != right]
    assert (wrong, len(tries) > 1000) == ([], True)
