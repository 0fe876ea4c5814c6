"""
The rules of the house that ruff and import-linter cannot see, each saying why.

When a review makes the same remark twice, it becomes a rule here, with a line in `PLANTED` that breaks it.
"""

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HUTONG = ROOT / "src" / "hutong"
FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70

DOMAINS = (
    *("openplatform", "commerce", "industries", "marketing", "membership", "finance", "credit"),
    *("institution", "switch", "risk", "codes", "ledger", "scheme", "analytics"),
)
ROLES = {"service", "repository", "api"}
# Who wires the parts together, and so knows all of them.
COMPOSITION = {
    "app": "the whole network",
    "institution/node.py": "one institution",
    "switch/node.py": "one switch",
    "marketing/marketing.py": "one institution's marketing",
    "simulation/place.py": "one node, on a disk and a clock of the simulation",
}
# Neither nouns nor one of the three roles, each with the reason why it may touch the machine.
OTHER_ROLES = {
    "ledger/engines/": "an engine is the far side of the ledger's port",
    "scheme/transport.py": "a transport is the far side of the journal's post",
    "scheme/http_transport.py": "as scheme/transport.py",
    "scheme/http_clearing_files.py": "as scheme/transport.py",
    "institution/metrics.py": "what a node tells of itself is read off its services",
    "switch/metrics.py": "as institution/metrics.py",
    **COMPOSITION,
}
ROLE = re.compile(r"hutong\.(?P<domain>\w+(?:\.\w+)*?)\.(?:\w+_)?(?P<role>service|repository|api)(?:\.|$)")
MACHINE = re.compile(r"(asyncio|asyncpg|httpx|socket|subprocess|threading)\b|hutong\.runtime(?!\.tables)\b")

# What is forbidden everywhere but at home, what to do instead, and which paths are home, with the reason.
COMMANDS = {"cli": "a command may read its environment, wait and measure", "bench": "it measures"}
PROCESSES = {"app/": "it is the timer of nodes, and starts processes that inherit its environment"}
RUNTIME = {"runtime/": "it is what touches the machine"}
KIT = {"conformance/": "it imports nothing of ours, so it has a clock and a chance of its own, and waits for others"}
AT_HOME: list[tuple[str, str, dict[str, str]]] = [
    (r"(date|datetime)\.(now|utcnow|today)", "ask the injected Clock", {}),
    (r"(import )?time\.time(_ns)?", "ask the injected Clock", {"kernel/clock.py": "SystemClock"} | KIT),
    (r"(import )?(uuid\.)?uuid[1-8]", "ids are minted by IdMint", {}),
    (
        r"(import )?os\.urandom|import (random|secrets)\b.*",
        "take a Randomness",
        {"kernel/ids.py": "its two sources"} | KIT,
    ),
    (r"(import )?os\.(environ|getenv)", "settings are read once, by the command", COMMANDS | RUNTIME | PROCESSES),
    (
        r"float",
        "money is never a float, not to format it",
        COMMANDS | RUNTIME | {"app/scene.py": "it draws", "web/": "it weighs languages and draws"},
    ),
    (r"(import )?(\w+\.)?sleep", "only the runtime waits; a simulation must not", COMMANDS | RUNTIME | PROCESSES | KIT),
]
# STYLE's words: one per thing, the field's own.
WORDS = {
    "buyer": "debtor",
    "payout": "settlement",
    "quota": "net debit cap",
    "reversal": "return (between agents) or refund (the merchant's)",
    "upstream": "instructing agent",
}
UNNAMED = {"utils", "util", "helpers", "helper", "manager", "managers", "model", "models", "store", "common"}

Offences = Iterator[tuple[int, str]]
Rule = Callable[[str, ast.Module], Offences]


def imports(tree: ast.Module) -> Offences:
    """Every module or name `tree` imports, dotted, with its line."""
    for node in parts(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def repositories_are_their_own_domains_affair(path: str, tree: ast.Module) -> Offences:
    for line, name in imports(tree):
        found = ROLE.match(name)
        home = found["domain"].replace(".", "/") + "/" if found and found["role"] == "repository" else ""
        if not path.startswith((home, *COMPOSITION)):
            yield line, f"another domain's repository is its own affair; ask the service of {home}"


def is_noun(path: str, tree: ast.Module) -> bool:
    """Whether the file is about a thing: not a role by its name, nor by holding a service (one that was split)."""
    roles = any(isinstance(node, ast.ClassDef) and node.name.endswith("Service") for node in tree.body)
    roles = roles or Path(path).stem.rpartition("_")[2] in ROLES or path.startswith((*OTHER_ROLES,))
    return path.startswith(DOMAINS) and not roles


def nouns_are_pure(path: str, tree: ast.Module) -> Offences:
    for line, name in imports(tree) if is_noun(path, tree) else ():
        # `runtime.tables` is allowed: a noun's row is declared by its columns' types.
        if MACHINE.match(name):
            yield line, f"nouns are pure; let the service fetch it and pass it in ({name})"
        if ROLE.match(name):
            yield line, f"nouns are pure; they know no role ({name})"


def dotted(node: ast.expr) -> str:
    """`a.b.c` as it stands there; empty for anything else."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attr):
            before = dotted(value)
            return before and f"{before}.{attr}"
    return ""


def time_chance_floats_and_waiting_stay_at_home(path: str, tree: ast.Module) -> Offences:
    said = [(line, f"import {name}") for line, name in imports(tree)]
    for node in parts(tree):
        match node:
            case ast.Attribute() if name := dotted(node):
                said.append((node.lineno, name))
            case ast.Call(func=ast.Name(id=name)):
                said.append((node.lineno, name))
    for line, name in said:
        for pattern, instead, homes in AT_HOME:
            if re.fullmatch(pattern, name) and not path.startswith((*homes,)):
                yield line, f"{name}: {instead}"


def files_are_named_after_their_thing(path: str, _: ast.Module) -> Offences:
    if UNNAMED & {*re.split(r"[/.]", path)}:
        yield 1, "a rule lives in the file named after the thing it is about; the file of SQL is a repository"


def an_init_file_is_its_domains_docstring(path: str, tree: ast.Module) -> Offences:
    if path.endswith("/__init__.py") and (len(tree.body) != 1 or not ast.get_docstring(tree)):
        yield 1, "only the docstring: what the domain promises, its words, its invariants; it exports nothing"


def files_and_functions_stay_short(_: str, tree: ast.Module) -> Offences:
    for node in parts(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                yield node.lineno, f"{node.name} has {lines} lines; a function fits a screen"
    last = max((node.end_lineno or 0 for node in tree.body), default=0)
    if last > FILE_LINES_MAX:
        yield last, "split it along a noun"


def names_are_the_fields_own_words(path: str, tree: ast.Module) -> Offences:
    for node in parts(tree) if not path.startswith("gateways/") else ():
        match node:
            case (
                ast.Name(id=name)
                | ast.arg(arg=name)
                | ast.ClassDef(name=name)
                | ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
            ):
                for word in WORDS.keys() & {part.lower() for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}:
                    yield node.lineno, f"{name}: say {WORDS[word]}"


# What a locator answers of this very moment: a page that is made or renewed by script or stream may be a moment behind.
READ_AT_ONCE = {
    *("all_inner_texts", "all_text_contents", "count", "get_attribute", "inner_html", "inner_text", "input_value"),
    *("is_checked", "is_disabled", "is_editable", "is_enabled", "is_hidden", "is_visible", "text_content"),
}


def pages_are_expected_not_asserted(path: str, tree: ast.Module) -> Offences:
    for node in parts(tree) if path.startswith("browser/") else ():
        if isinstance(node, ast.Assert):
            for part in ast.walk(node.test):
                if (
                    isinstance(part, ast.Call)
                    and isinstance(part.func, ast.Attribute)
                    and part.func.attr in READ_AT_ONCE
                ):
                    yield part.lineno, f"{part.func.attr} is of this very moment: let expect(...) wait for it"


IN_SOURCES = [
    repositories_are_their_own_domains_affair,
    nouns_are_pure,
    time_chance_floats_and_waiting_stay_at_home,
    an_init_file_is_its_domains_docstring,
    names_are_the_fields_own_words,
]
IN_TESTS = [pages_are_expected_not_asserted]
EVERYWHERE = [files_are_named_after_their_thing, files_and_functions_stay_short]


@cache
def parts(tree: ast.Module) -> list[ast.AST]:
    """Every node of a file: each rule looks at all of them, and to find them takes longer than to look."""
    return [*ast.walk(tree)]


@cache
def trees(folder: Path) -> dict[str, ast.Module]:
    return {path.relative_to(folder).as_posix(): ast.parse(path.read_text()) for path in sorted(folder.rglob("*.py"))}


@pytest.mark.parametrize(
    ("rule", "folders"),
    [(r, [HUTONG]) for r in IN_SOURCES]
    + [(r, [ROOT / "tests"]) for r in IN_TESTS]
    + [(r, [HUTONG, ROOT / "tests"]) for r in EVERYWHERE],
)
def test_the_house_rule_holds(rule: Rule, folders: list[Path]) -> None:
    code = [(path, tree) for folder in folders for path, tree in trees(folder).items()]
    assert [f"{path}:{line}: {why}" for path, tree in code for line, why in rule(path, tree)] == []


PLANTED: list[tuple[Rule, str, str]] = [
    (repositories_are_their_own_domains_affair, "switch/service.py", "import hutong.codes.repository"),
    (repositories_are_their_own_domains_affair, "switch/service.py", "from hutong.codes.repository import Plates"),
    (repositories_are_their_own_domains_affair, "switch/service.py", "from hutong.codes import repository"),
    (repositories_are_their_own_domains_affair, "institution/a/api.py", "import hutong.institution.b.repository"),
    (nouns_are_pure, "switch/payment.py", "import asyncio"),
    (nouns_are_pure, "switch/payment.py", "from hutong.runtime.database import Database"),
    (nouns_are_pure, "switch/payment.py", "from hutong.switch.service import Switch"),
    (time_chance_floats_and_waiting_stay_at_home, "switch/service.py", "datetime.now(UTC)"),
    (time_chance_floats_and_waiting_stay_at_home, "switch/service.py", "from time import time_ns"),
    (time_chance_floats_and_waiting_stay_at_home, "runtime/http.py", "uuid4()"),
    (time_chance_floats_and_waiting_stay_at_home, "runtime/http.py", "import secrets"),
    (time_chance_floats_and_waiting_stay_at_home, "switch/service.py", "debug = os.environ.get('DEBUG')"),
    (time_chance_floats_and_waiting_stay_at_home, "codes/tlv.py", "float('1.0')"),
    (time_chance_floats_and_waiting_stay_at_home, "switch/service.py", "await asyncio.sleep(1)"),
    (
        an_init_file_is_its_domains_docstring,
        "switch/__init__.py",
        "'''Docs.'''\nfrom hutong.switch.payment import Payment",
    ),
    (an_init_file_is_its_domains_docstring, "switch/__init__.py", ""),
    (names_are_the_fields_own_words, "switch/payment.py", "buyer_id = 1"),
    (names_are_the_fields_own_words, "switch/payment.py", "class PaymentReversal: ..."),
    (names_are_the_fields_own_words, "switch/payment.py", "QUOTA_MAX = 1"),
    (pages_are_expected_not_asserted, "browser/test_till.py", "assert page.locator('b').inner_text() == 'Paid.'"),
    (pages_are_expected_not_asserted, "browser/test_till.py", "assert not page.locator('button').is_disabled()"),
    (files_are_named_after_their_thing, "switch/utils.py", ""),
    (files_are_named_after_their_thing, "helpers/test_switch.py", ""),
    (files_and_functions_stay_short, "switch/payment.py", "def pay():\n" + "    ...\n" * FUNCTION_LINES_MAX),
    (files_and_functions_stay_short, "switch/payment.py", "pass\n" * (FILE_LINES_MAX + 1)),
]


@pytest.mark.parametrize(("rule", "path", "source"), PLANTED)
def test_a_planted_offence_is_found(rule: Rule, path: str, source: str) -> None:
    assert len(list(rule(path, ast.parse(source)))) == 1


IN_TEXT = {
    r"\b(?:TO[D]O|FIX[M]E)\b(?!\(#\d+\))": "give it an issue's number, (#12), or do it",
    r"pypi[.]org|pythonhosted[.]org|npmjs[.]|deb[.]debian[.]org|index[-]url": "a registry is the machine's business",
    r"(?<![\w.])/(?:work|root|Users|home)/\w": "a path of one machine",
}


def test_no_text_promises_without_an_issue_or_names_a_registry_or_a_machine() -> None:
    folders = [ROOT / name for name in ("src", "tests", "docs", "scripts", "migrations", ".ci")]
    paths = [path for folder in folders for path in folder.rglob("*")] + [
        path for path in ROOT.iterdir() if path.name != ".git"
    ]
    found = []
    for path in paths:
        if not path.is_file() or path.suffix in {".pyc", ".png", ".jpg", ".ttf", ".mo", ".bin"}:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            found += [f"{path}:{number}: {why}" for rule, why in IN_TEXT.items() if re.search(rule, line)]
    assert found == []
