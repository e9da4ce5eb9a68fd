"""The arrows and habits of the house, kept by a test: who may import whom, and what no file may contain."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = {  # app -> apps it may import
    "plant": {"plant"},
    "incidents": {"plant", "incidents"},
    "countermeasures": {"plant", "incidents", "countermeasures"},
    "escalation": {"plant", "incidents", "countermeasures", "escalation"},
    "launches": {"plant", "incidents", "launches"},
    "insights": {"plant", "incidents", "countermeasures", "escalation", "launches", "insights"},
}
SHELL_FOR_ALL = {"opsdesk.errors", "opsdesk.htmx", "opsdesk.outbound", "opsdesk.paging"}
SHELL_THAT_IMPORTS_APPS = {"opsdesk.urls", "opsdesk.api", "opsdesk.settings", "opsdesk.celery"}
OUTER = {"views", "api", "tasks", "admin"}  # inside an app: the edge that nothing further in imports
INNER = {"lifecycle", "rules", "engine", "policies"}
FORBIDDEN_NAMES = {"utils", "helpers", "managers", "core", "common", "misc"}
LONGEST_FILE, LONGEST_FUNCTION = 450, 70  # lines
SENDING = {"apply_async", "retry", "signature", "s", "si", "send_task", "delay"}
KNOWN_HOSTS = {"www.w3.org"}  # the name of SVG's namespace; nothing is fetched from it


def product_files() -> list[Path]:
    """Our own Python, without migrations (generated) and tests."""
    folders = [ROOT / name for name in ("opsdesk", *APPS)]
    files = [path for folder in folders if folder.is_dir() for path in sorted(folder.rglob("*.py"))]
    return [path for path in files if "migrations" not in path.parts]


def name_of(path: Path) -> str:
    """``incidents/lifecycle/__init__.py`` → ``incidents.lifecycle``."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(tree: ast.AST, module: str, *, is_package: bool = False) -> Iterator[tuple[str, int]]:
    """Every imported module with its line; ``from a import b`` counts as ``a`` and ``a.b``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = module.split(".")
                kept = parts[: len(parts) - node.level + is_package]
                base = ".".join([*kept, base] if base else kept)
            yield base, node.lineno
            yield from ((f"{base}.{alias.name}", node.lineno) for alias in node.names)


def wrong_imports(tree: ast.AST, module: str, *, is_package: bool = False) -> list[str]:
    """Sentences about imports against the arrows."""
    found = []
    for name, line in imports_of(tree, module, is_package=is_package):
        why = why_wrong(module, name)
        if why:
            found.append(f"{module}:{line} imports {name}: {why}")
    return found


def why_wrong(module: str, name: str) -> str:
    app, target = module.split(".")[0], name.split(".")[0]
    if target == "tests" or target == "benchmarks":
        return "product code does not know its tests"
    if app == "opsdesk":
        return "only the shell's front knows the apps" if _shell_reaches_out(module, target) else ""
    if target == "opsdesk":
        shell = ".".join(name.split(".")[:2])
        return "" if shell in SHELL_FOR_ALL | {"opsdesk"} else f"apps may use {sorted(SHELL_FOR_ALL)}"
    if target in APPS and target not in APPS[app]:
        return "against the arrows"
    return wrong_inside(module, name) if target == app else ""


def _shell_reaches_out(module: str, target: str) -> bool:
    return target in APPS and ".".join(module.split(".")[:2]) not in SHELL_THAT_IMPORTS_APPS


def wrong_inside(module: str, name: str) -> str:
    """models ← lifecycle, rules, engine ← views, api, tasks, admin; the outer ones ignore each other."""
    here, there = (part.split(".")[1] if "." in part else "" for part in (module, name))
    if here == "models" and there in OUTER | INNER:
        return "models know nothing above them"
    if here in INNER and there in OUTER:
        return "the domain does not know who asks"
    if here in OUTER and there in OUTER and here != there:
        return "views, api, tasks and admin never import each other"
    return ""


def imports_inside_functions(tree: ast.AST) -> list[int]:
    functions = (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    return sorted(
        {
            node.lineno
            for function in functions
            for node in ast.walk(function)
            if isinstance(node, ast.Import | ast.ImportFrom)
        }
    )


def delayed_tasks(tree: ast.AST) -> list[int]:
    """Lines that send a task with ``eta=`` or ``countdown=``."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in SENDING
        and {keyword.arg for keyword in node.keywords} & {"eta", "countdown"}
    ]


def long_functions(tree: ast.AST) -> list[str]:
    return [
        f"{node.name} ({node.end_lineno - node.lineno + 1} lines)"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno
        and node.end_lineno - node.lineno + 1 > LONGEST_FUNCTION
    ]


def inline_code(html: str) -> list[str]:
    """What a strict content security policy would block."""
    text = re.sub(r"{#.*?#}|{% comment %}.*?{% endcomment %}|{[%{].*?[%}]}", "", html, flags=re.S)
    found = re.findall(r"<style[\s>]|\sstyle\s*=\s*[\"'{]|javascript:", text, flags=re.I)
    found += re.findall(r"<[a-z][^>]*\s(on[a-z]+)\s*=", text, flags=re.I)
    scripts = re.findall(r"<script\b[^>]*>", text, flags=re.I)
    data = re.compile(r"""type=["'](application/json|application/ld\+json)["']""")
    return found + [tag for tag in scripts if " src=" not in tag and not data.search(tag)]


def foreign_hosts(text: str) -> set[str]:
    """Hosts on the internet that a page or a file of it would fetch from."""
    hosts = set(re.findall(r"https?://([a-z0-9.-]+\.[a-z]{2,})", text, flags=re.I))
    hosts |= set(re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?//([a-z0-9.-]+)""", text, flags=re.I))
    return hosts - KNOWN_HOSTS


def offenders(check: Callable[[Path], Any], files: Iterable[Path] | None = None) -> dict[str, Any]:
    """What the check finds, by file; empty when all is well."""
    found = ((str(path.relative_to(ROOT)), check(path)) for path in files or product_files())
    return {name: what for name, what in found if what}


def parsed(path: Path) -> ast.AST:
    return ast.parse(path.read_text())


def templates() -> list[Path]:
    folders = (ROOT / "templates", *(ROOT / app / "templates" for app in ("opsdesk", *APPS)))
    return [path for folder in folders for path in sorted(folder.rglob("*.html"))]


def static_files() -> list[Path]:
    return [path for kind in ("css", "js", "svg") for path in sorted((ROOT / "static").rglob(f"*.{kind}"))]


def test_imports_follow_the_arrows() -> None:
    def check(path: Path) -> list[str]:
        return wrong_imports(parsed(path), name_of(path), is_package=path.name == "__init__.py")

    assert offenders(check) == {}


def test_imports_stand_at_the_top() -> None:
    """But in apps.py: Django loads models after it, so its ready() imports inside."""
    files = [path for path in product_files() if path.name != "apps.py"]

    assert offenders(lambda path: imports_inside_functions(parsed(path)), files) == {}


def test_no_task_is_sent_for_later() -> None:
    assert offenders(lambda path: delayed_tasks(parsed(path))) == {}


def test_files_stay_short() -> None:
    def check(path: Path) -> int:
        lines = len(path.read_text().splitlines())
        return lines if lines > LONGEST_FILE else 0

    assert offenders(check) == {}


def test_functions_stay_short() -> None:
    assert offenders(lambda path: long_functions(parsed(path))) == {}


def test_modules_are_named_after_what_they_hold() -> None:
    assert offenders(lambda path: FORBIDDEN_NAMES & set(name_of(path).split("."))) == {}


def test_nothing_is_left_for_later() -> None:
    left = re.compile(r"\bTODO\b|\bFIXME\b|NotImplementedError")

    assert offenders(lambda path: left.findall(path.read_text())) == {}


def test_rules_know_neither_database_nor_clock() -> None:
    def check(path: Path) -> list[str]:
        text = path.read_text()
        names = {name for name, _ in imports_of(ast.parse(text), name_of(path))}
        bad = {name for name in names if name.startswith(("django.db", "django.utils.timezone"))}
        return [*bad, *re.findall(r"\b(?:timezone|datetime)\.now\(", text)]

    assert offenders(check, [p for p in product_files() if name_of(p).split(".")[1:2] == ["rules"]]) == {}


def test_pages_hold_no_inline_code() -> None:
    """Emails do: mail programs read nothing but inline styles."""
    files = [path for path in templates() if "messages" not in path.parts]

    assert offenders(lambda path: inline_code(path.read_text()), files) == {}


def test_pages_and_their_files_fetch_nothing_from_outside() -> None:
    assert offenders(lambda path: foreign_hosts(path.read_text()), templates() + static_files()) == {}


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_dependency_is_locked_with_hashes_and_no_host_is_named(name: str) -> None:
    lines = (ROOT / name).read_text().splitlines()
    starts = [line for line in lines if re.match(r"[a-z0-9]", line, flags=re.I)]

    assert starts
    assert all("==" in line and line.endswith("\\") for line in starts)
    assert not [line for line in lines if re.search(r"https?:|file:/|^-|^[^ #]*/|@ ", line)]


@pytest.mark.parametrize(
    ("module", "code"),
    [
        ("plant.duty", "from incidents.models import Incident"),
        ("incidents.lifecycle", "import escalation.engine"),
        ("countermeasures.checks", "from escalation import tasks"),
        ("incidents.lifecycle", "from incidents.views import lists"),
        ("incidents.api", "from incidents.views.lists import incidents"),
        ("incidents.models", "from incidents import lifecycle"),
        ("incidents.models.incident", "from .. import lifecycle"),
        ("plant.views", "from opsdesk.keeper import Keeper"),
        ("opsdesk.views", "from plant.models import Site"),
        ("escalation.tasks", "def f():\n    from tests.factories import x"),
    ],
)
def test_an_import_against_the_arrows_is_found(module: str, code: str) -> None:
    assert wrong_imports(ast.parse(code), module)


@pytest.mark.parametrize(
    ("module", "code"),
    [
        ("escalation.engine", "from incidents.models import Incident\nfrom plant import duty"),
        ("incidents.views.lists", "from incidents.views import verbs\nfrom opsdesk.htmx import show"),
        ("opsdesk.urls", "from plant import urls"),
        ("incidents.api", "from incidents.lifecycle import acknowledge"),
    ],
)
def test_an_import_along_the_arrows_is_let_through(module: str, code: str) -> None:
    assert wrong_imports(ast.parse(code), module) == []


def test_what_the_checks_look_for_is_found() -> None:
    late = "tick.apply_async(countdown=3)\nself.retry(eta=now)\ntick.delay()"
    assert delayed_tasks(ast.parse(late)) == [1, 2]
    assert imports_inside_functions(ast.parse("import os\ndef f():\n    import re")) == [3]
    assert long_functions(ast.parse("def f():\n" + "    x = 1\n" * 70)) == ["f (71 lines)"]
    assert foreign_hosts('<script src="https://cdn.example.com/x.js">') == {"cdn.example.com"}
    assert foreign_hosts('<svg xmlns="http://www.w3.org/2000/svg">') == set()


@pytest.mark.parametrize(
    "html", ["<script>x()</script>", '<p style="color:red">', '<a onclick="x()">', "<style>a{}</style>"]
)
def test_inline_code_is_found(html: str) -> None:
    assert inline_code(html)


@pytest.mark.parametrize(
    "html",
    ['<script src="{% static "x.js" %}" defer></script>', '<script type="application/json">{}</script>'],
)
def test_code_and_data_in_their_own_place_are_let_through(html: str) -> None:
    assert inline_code(html) == []
