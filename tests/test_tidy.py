"""
The rules of the house that ruff and import-linter cannot see, each saying why.

When a review makes the same remark twice, it becomes a rule here.
"""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
HUTONG = ROOT / "src" / "hutong"
SOURCES = {path.relative_to(HUTONG).as_posix(): ast.parse(path.read_text()) for path in sorted(HUTONG.rglob("*.py"))}
TESTS = {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text()) for path in sorted(ROOT.glob("tests/**/*.py"))}

DOMAINS = {
    *("openplatform", "commerce", "industries", "marketing", "membership", "finance", "credit"),
    *("institution", "switch", "risk", "codes", "ledger", "scheme", "analytics"),
}
ROLES = {"service", "repository", "api"}
# Neither nouns nor one of the three roles; each with the reason why it may touch the machine.
OTHER_ROLES = {
    "ledger/engines/": "an engine is the port's other side: it keeps accounts and transfers",
}

# What is forbidden everywhere but at home, what to do instead, and which paths are home, with the reason.
COMMANDS = {"cli": "a command may read its environment, wait and measure", "bench": "it measures", "demo": "it waits"}
RUNTIME = {"runtime/": "it is what touches the machine"}
AT_HOME: list[tuple[str, str, dict[str, str]]] = [
    (r"(date|datetime)\.(now|utcnow|today)", "ask the injected Clock", {}),
    (r"(import )?time\.time(_ns)?", "ask the injected Clock", {"kernel/clock.py": "SystemClock"}),
    (r"(import )?(uuid\.)?uuid[1-8]", "ids are minted by IdMint", {}),
    (r"(import )?os\.urandom|import (random|secrets)\b.*", "take a Randomness", {"kernel/ids.py": "its two sources"}),
    (r"(import )?os\.(environ|getenv)", "settings are read once, by the command", COMMANDS | RUNTIME),
    (r"float", "money is never a float, not to format it", COMMANDS | RUNTIME),
    (r"(\w+\.)?sleep", "only the runtime waits; a simulation must not", COMMANDS | RUNTIME),
]
FORBIDDEN_STEMS = {"utils", "util", "helpers", "helper", "manager", "managers", "model", "models", "store", "common"}
# STYLE section 4: one word per thing, the field's own.
WORDS = {
    "buyer": "debtor",
    "payout": "settlement",
    "quota": "net debit cap",
    "reversal": "return (between agents) or refund (the merchant's)",
    "upstream": "instructing agent",
}
FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70


def imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every module or name `tree` imports, dotted, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def offences(check: Callable[[str, ast.Module], Iterator[tuple[int, str]]], trees: dict[str, ast.Module]) -> list[str]:
    return [f"{path}:{line}: {why}" for path, tree in trees.items() for line, why in check(path, tree)]


def is_noun(path: str) -> bool:
    role = Path(path).stem.rpartition("_")[2]
    return path.split("/", maxsplit=1)[0] in DOMAINS and role not in ROLES and not path.startswith(tuple(OTHER_ROLES))


def test_a_repository_is_its_own_domains_affair() -> None:
    def check(path: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
        for line, name in imports(tree):
            found = re.match(r"hutong\.(\w+)\.(?:\w+\.)?(?:\w+_)?repository\b", name)
            if found and path.split("/", maxsplit=1)[0] not in {found[1], "app.py", "app"}:
                yield line, f"another domain's repository is its own affair; ask the service of {found[1]}"

    assert offences(check, SOURCES) == []


def test_nouns_are_pure() -> None:
    def check(path: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
        for line, name in imports(tree) if is_noun(path) else ():
            if re.match(r"(asyncio|asyncpg|httpx|socket|subprocess|threading)\b|hutong\.runtime\b", name):
                yield line, f"nouns are pure; let the service fetch it and pass it in ({name})"
            if re.match(r"hutong\.\w+\.(?:\w+\.)?(?:\w+_)?(service|repository|api)\b", name):
                yield line, f"nouns are pure; they know no role ({name})"

    assert offences(check, SOURCES) == []


def test_time_chance_environment_floats_and_waiting_stay_at_home() -> None:
    def said(tree: ast.Module) -> Iterator[tuple[int, str]]:
        yield from ((line, f"import {name}") for line, name in imports(tree))
        for node in ast.walk(tree):
            match node:
                case ast.Attribute():
                    yield node.lineno, ast.unparse(node)
                case ast.Call(func=ast.Name(id=name)):
                    yield node.lineno, name

    def check(path: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
        for line, name in said(tree):
            for pattern, instead, homes in AT_HOME:
                if re.fullmatch(pattern, name) and not path.startswith((*homes,)):
                    yield line, f"{name}: {instead}"

    assert offences(check, SOURCES) == []


def test_a_file_is_named_after_the_thing_it_is_about() -> None:
    named = [path for path in [*SOURCES, *TESTS] if FORBIDDEN_STEMS & {*re.split(r"[/.]", path)}]
    assert named == [], "a rule lives in the file named after its thing; the file of SQL is a repository"


def test_an_init_file_holds_the_domains_docstring_and_exports_nothing() -> None:
    def check(path: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
        if path.endswith("/__init__.py") and (len(tree.body) != 1 or not ast.get_docstring(tree)):
            yield 1, "only the docstring: what the domain promises, its words, its invariants"

    assert offences(check, SOURCES) == []


def test_files_and_functions_stay_short() -> None:
    def check(_: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
        for node in ast.walk(tree):
            lines = getattr(node, "end_lineno", 0) - getattr(node, "lineno", 0) + 1
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and lines > FUNCTION_LINES_MAX:
                yield node.lineno, f"{node.name} has {lines} lines; a function fits a screen"
        last = max((getattr(node, "end_lineno", 0) for node in tree.body), default=0)
        if last > FILE_LINES_MAX:
            yield last, "split it along a noun"

    assert offences(check, SOURCES | TESTS) == []


def test_names_use_the_fields_own_words() -> None:
    def names(tree: ast.Module) -> Iterator[tuple[int, str]]:
        for node in ast.walk(tree):
            match node:
                case ast.Name(id=name) | ast.arg(arg=name) | ast.ClassDef(name=name):
                    yield node.lineno, name
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    yield node.lineno, name

    def check(path: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
        for line, name in names(tree) if not path.startswith("gateways/") else ():
            for word in WORDS.keys() & set(re.findall(r"[A-Z]?[a-z]+", name.swapcase() if name.isupper() else name)):
                yield line, f"{name}: say {WORDS[word]}"

    assert offences(check, SOURCES) == []


def test_no_text_promises_without_an_issue_or_names_a_registry_or_a_machine() -> None:
    rules = {
        r"\b(?:TO[D]O|FIX[M]E)\b(?!\(#\d+\))": "give it an issue number, (#12), or do it",
        r"pypi[.]org|pythonhosted[.]org|npmjs[.]|deb[.]debian[.]org|--(?:extra-)?index-url": "name no registry",
        r"(?<![\w.])/(?:work|root|Users|home)/\w": "a path of one machine",
    }
    folders = [ROOT / name for name in ("src", "tests", "docs", "scripts", "migrations", ".ci")]
    paths = [path for folder in folders for path in folder.rglob("*")] + [
        path for path in ROOT.iterdir() if path.suffix
    ]
    found = []
    for path in paths:
        if path.is_dir() or path.suffix in {".pyc", ".png", ".jpg", ".ttf", ".mo", ".bin"}:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            found += [f"{path}:{number}: {why}" for rule, why in rules.items() if re.search(rule, line)]
    assert found == []
