"""`spec.analysis.canaryTemplate`: on which nodes the canary's pods may run.

What is wrong with it must be told here: a template that the API server refuses would keep the
user's own apply out.
"""

import re
from collections.abc import Iterator

from delivery import placement
from delivery.api.analysis import Analysis, CanaryTemplate, GuidesAnalysis, Toleration

PATH = "spec.analysis.canaryTemplate"
GUIDES = "spec.analysis.canaryAnalysis.templateVariables"
WORD = "[A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?"
DOMAIN = "[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
KEY = re.compile(f"((?=.{{1,253}}/){DOMAIN}/)?{WORD}")
VALUE = re.compile(f"({WORD})?")


def said_of(analysis: Analysis) -> CanaryTemplate | None:
    guides = analysis.canary_analysis or GuidesAnalysis()
    return analysis.canary_template or guides.template_variables


def placement_of(analysis: Analysis) -> str:
    said = said_of(analysis) or CanaryTemplate()
    tolerations = [
        one.model_dump(mode="json", by_alias=True, exclude_none=True)
        for one in said.tolerations or ()
    ]
    return placement.text(said.node_selector or {}, tolerations)


def placement_problems(analysis: Analysis) -> Iterator[str]:
    guides = (analysis.canary_analysis or GuidesAnalysis()).template_variables
    if analysis.canary_template and guides and guides != analysis.canary_template:
        yield f"{GUIDES}: says something else than canaryTemplate; keep one of them"
    path, said = PATH if analysis.canary_template else GUIDES, said_of(analysis) or CanaryTemplate()
    for key, value in (said.node_selector or {}).items():
        if not KEY.fullmatch(key):
            yield f'{path}.nodeSelector: "{key}" is no label; use one of a node, such as pool'
        if not VALUE.fullmatch(value):
            yield f'{path}.nodeSelector.{key}: "{value}" is no value of a label; use a-z, 0-9, -'
    for index, one in enumerate(said.tolerations or ()):
        yield from toleration_problems(f"{path}.tolerations[{index}]", one)


def toleration_problems(path: str, said: Toleration) -> Iterator[str]:
    """As the API server has it."""
    exists = said.operator == "Exists"
    if said.key and not KEY.fullmatch(said.key):
        yield f'{path}.key: "{said.key}" is no key of a taint; use one such as spot'
    if not said.key and not exists:
        yield f"{path}.key: is missing; name a taint, or set operator: Exists for every one"
    if said.value and exists:
        yield f'{path}.value: "{said.value}" is set beside operator Exists; remove it'
    if said.value and not VALUE.fullmatch(said.value):
        yield f'{path}.value: "{said.value}" is no value of a taint; use a-z, 0-9, -'
    if said.toleration_seconds is not None and said.effect != "NoExecute":
        yield f"{path}.tolerationSeconds: is for effect NoExecute; set that, or remove it"
