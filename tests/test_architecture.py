"""What the house rules say about the tree itself: layers, sizes, names, one copy of everything."""

import ast
import functools
import itertools
import os
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROGRAMS = ("agent", "certs", "cluster", "delivery", "webhook")
BESIDE = ("benchmarks", "demo", "examples", "lab", "tests")

PURE = {
    "__future__",
    "abc",
    "ast",
    "base64",
    "bisect",
    "collections",
    "copy",
    "dataclasses",
    "datetime",
    "decimal",
    "enum",
    "fractions",
    "functools",
    "hashlib",
    "ipaddress",
    "itertools",
    "json",
    "math",
    "operator",
    "re",
    "statistics",
    "string",
    "textwrap",
    "types",
    "typing",
    "urllib.parse",
    # Values and messages of others; none of them does anything by itself.
    "pydantic",
    "pydantic_core",
    "google",
    "envoy",
    "xds",
    "delivery",
}
IMPURE_CALLS = {"print", "open", "input", "eval", "exec", "__import__"}
CLOCKS = {"now", "utcnow", "today"}
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "shared", "misc"}
# The tops of the loops, each with its fail-open or fail-closed choice beside it.
CATCH_ALL = {"agent", "webhook"}
MODULE_LINES, FUNCTION_LINES, POSITIONAL, PARAMETERS = 300, 40, 5, 6


def sources(*folders: str) -> list[Path]:
    """The Python files of these folders that belong to the project."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@functools.cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


@functools.cache
def nodes(module: ast.Module) -> Sequence[ast.AST]:
    return tuple(ast.walk(module))


Rule = Callable[[Path], None]


def of_each(paths: Sequence[Path]) -> Callable[[Rule], Callable[[], None]]:
    """One test for a rule, over all of the modules: thousands of tests cost more than they tell."""

    def tested(rule: Rule) -> Callable[[], None]:
        def test() -> None:
            broken = [said for path in paths for said in complaints(rule, path)]
            assert not broken, "\n".join(broken)

        return test

    return tested


def complaints(rule: Rule, path: Path) -> Iterator[str]:
    try:
        rule(path)
    except AssertionError as error:
        yield f"{named(path)}: {error}"


ALL = sources(*PROGRAMS, *BESIDE)
every_module = of_each(ALL)
every_core_module = of_each(sources("delivery"))
every_program_module = of_each(sources(*PROGRAMS))
# Each worker would parse all the modules.
pytestmark = pytest.mark.xdist_group("architecture")


def imported(module: ast.Module) -> Iterator[str]:
    for node in nodes(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: imports are absolute"
            yield node.module or ""


def called(module: ast.Module) -> Iterator[str]:
    for node in nodes(module):
        if isinstance(node, ast.Call):
            match node.func:
                case ast.Name(name):
                    yield name
                case ast.Attribute(attr=name):
                    yield f".{name}"


def functions(module: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in nodes(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@every_core_module
def test_the_core_imports_only_what_decides_nothing_by_itself(path: Path) -> None:
    unknown = {name for name in imported(tree(path)) if name not in PURE}
    assert {name.split(".")[0] for name in unknown} <= PURE


@every_core_module
def test_the_core_neither_prints_nor_opens_nor_asks_the_clock(path: Path) -> None:
    forbidden = IMPURE_CALLS | {f".{name}" for name in CLOCKS}
    assert not forbidden & set(called(tree(path)))


@every_core_module
def test_the_core_has_no_globals_that_change(path: Path) -> None:
    assert not [node for node in nodes(tree(path)) if isinstance(node, ast.Global)]


@every_module
def test_a_module_is_not_longer_than_a_reader_can_hold(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MODULE_LINES


@every_module
def test_a_module_says_in_a_sentence_what_it_is_for(path: Path) -> None:
    module = tree(path)
    docstring = ast.get_docstring(module)
    optional = path.is_relative_to(ROOT / "tests") or not module.body
    assert docstring or optional
    assert docstring is None or docstring.partition("\n")[0].endswith((".", ":"))


@every_module
def test_a_function_fits_on_a_screen_and_takes_few_things(path: Path) -> None:
    for function in functions(tree(path)):
        lines = (function.end_lineno or 0) - function.lineno + 1
        assert lines <= FUNCTION_LINES, f"{function.name}: {lines} lines"
        given = without_self(function.args.posonlyargs + function.args.args)
        assert len(given) <= POSITIONAL, f"{function.name}: {len(given)} positional parameters"
        whole = len(given) + len(function.args.kwonlyargs)
        assert whole <= PARAMETERS, f"{function.name}: {whole} parameters"


def without_self(arguments: list[ast.arg]) -> list[ast.arg]:
    return [argument for argument in arguments if argument.arg not in {"self", "cls"}]


@every_module
def test_a_name_says_what_it_names(path: Path) -> None:
    words = set(re.split(r"[_./]", named(path).removesuffix(".py")))
    assert not words & FORBIDDEN_NAMES


@every_module
def test_a_constant_is_assigned_once(path: Path) -> None:
    given = [one for one in tree(path).body if isinstance(one, ast.Assign | ast.AnnAssign)]
    found = [one for each in given for one in ast.walk(each) if isinstance(one, ast.Name)]
    said = [one.id for one in found if isinstance(one.ctx, ast.Store) and one.id.isupper()]
    assert not [one for one in set(said) if said.count(one) > 1]


@every_program_module
def test_only_settings_read_the_environment(path: Path) -> None:
    text = path.read_text()
    assert path.name in {"settings.py", "gunicorn.py"} or not re.search(
        r"\bos\.(environ|getenv)\b|from os import .*(environ|getenv)", text
    )


@every_program_module
def test_only_the_tops_of_the_loops_catch_everything(path: Path) -> None:
    caught = [
        node.lineno
        for node in nodes(tree(path))
        if isinstance(node, ast.ExceptHandler) and catches_all(node)
    ]
    assert not caught or path.relative_to(ROOT).parts[0] in CATCH_ALL
    assert len(caught) <= 1, f"lines {caught}"


def catches_all(handler: ast.ExceptHandler) -> bool:
    match handler.type:
        case None | ast.Name("Exception" | "BaseException"):
            return True
    return False


@every_module
def test_nothing_is_left_for_later_without_a_reason(path: Path) -> None:
    if path == Path(__file__):
        return
    for number, line in enumerate(path.read_text().splitlines(), 1):
        assert not re.search(r"#.*\b(TODO|FIXME|XXX)\b", line), f"line {number}"
        ignored = re.search(r"# type: ignore(.*)", line)
        assert not ignored or ignored[1].startswith("["), f"line {number}: say which error"


def tracked() -> list[Path]:
    """Every file under version control, or all of the tree where there is none."""
    listed = subprocess.run(
        ("git", "-C", str(ROOT), "ls-files"), capture_output=True, text=True, timeout=10, check=True
    )
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


def test_each_custom_resource_is_defined_once() -> None:
    defined: dict[str, list[str]] = {}
    for path in (path for path in tracked() if path.suffix in {".yaml", ".yml", ".json"}):
        for document in re.split(r"^---$", path.read_text(), flags=re.M):
            if re.search(r"^kind: CustomResourceDefinition$", document, flags=re.M):
                name = re.search(r"^  name: (\S+)$", document, flags=re.M)
                defined.setdefault(name[1] if name else "", []).append(named(path))
    assert all(len(paths) == 1 for paths in defined.values()), defined


def test_the_version_stands_in_one_place() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    version = re.search(r'^version = "(.*)"$', project, flags=re.M)
    assert version
    assigned = re.compile(rf"""version["']?\s*[:=]+\s*["']{re.escape(version[1])}["']""", re.I)
    code = (path for path in tracked() if path.suffix in {".py", ".toml", ".cfg"})
    assert [named(path) for path in code if assigned.search(path.read_text())] == ["pyproject.toml"]


def test_what_belongs_together_runs_on_one_worker(request: pytest.FixtureRequest) -> None:
    """A pytest that its xdist does not know yet spreads it, and each worker sets it up anew."""
    if os.environ.get("PYTEST_XDIST_WORKER"):
        assert request.node.nodeid.endswith("@architecture")


def test_the_changelog_opens_with_the_version() -> None:
    version = re.search(r'^version = "(.*)"$', (ROOT / "pyproject.toml").read_text(), flags=re.M)
    heading = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), flags=re.M)
    assert version
    assert heading
    assert heading[1] == version[1]


def commands(document: str) -> list[str]:
    """The lines of a document's shell blocks."""
    blocks = re.findall(
        r"^```(?:sh|console)\n(.*?)^```", (ROOT / document).read_text(), re.M | re.S
    )
    lines = itertools.chain.from_iterable(block.splitlines() for block in blocks)
    return [line.removeprefix("$ ").strip() for line in lines if line.strip()]


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_every_make_target_in_the_documents_exists(document: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.M))
    named = {line.split()[1] for line in commands(document) if line.startswith("make ")}
    assert named
    assert named <= targets


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_every_path_in_the_documents_exists(document: str) -> None:
    text = (ROOT / document).read_text()
    links = {link for link in re.findall(r"\]\(([^)#:]+)\)", text)}
    applied = set(re.findall(r"(?:-k|-f) ((?:manifests|examples)/\S+)", text))
    missing = [path for path in links | applied if not (ROOT / path).exists()]
    assert not missing
