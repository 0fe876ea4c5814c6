"""Configuration to be pasted, and the same in the documentation."""

import re
from pathlib import Path

import pytest

from hutong.cli.gateway_recipes import ALIPAY, CLIENTS, WECHATPAY, recipe
from hutong.cli.main import run

DOCS = Path(__file__).parents[2] / "docs" / "gateways"
PLACE = re.compile(r"@[a-z0-9_]+")


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("texts", [WECHATPAY, ALIPAY])
@pytest.mark.parametrize("page", ["clients.md", "clients.zh-CN.md"])
def test_the_documentation_has_what_the_command_prints(texts: dict[str, str], client: str, page: str) -> None:
    text = recipe(texts, client, dict.fromkeys((found[1:] for found in PLACE.findall(texts[client])), "VALUE"))
    assert "@" not in text
    shown = (DOCS / page).read_text(encoding="utf-8")
    parts = [part for part in PLACE.split(texts[client].rstrip()) if part.strip()]
    at = 0
    for part in parts:
        at = shown.index(part, at)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["gateway", "clock", "--forward", "2 hours"], "DURATION_MALFORMED"),
        (["gateway", "run", "--wechatpay", "nobody", "--", "true"], "NODE_UNKNOWN"),
        (["gateway", "run"], "COMMAND_MISSING"),
        (["gateway", "agree", "https://wei.example/agreements/x"], "NO_AGREEMENT_IN_IT"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: list[str],
    reason: str,
) -> None:
    monkeypatch.setenv("HUTONG_DATA_DIRECTORY", str(tmp_path))
    (tmp_path / "credentials.json").write_text('[{"node":"wei","name":"o","role":"operator","token":"op_x"}]')
    assert run(arguments) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"hutong: {reason}")
    assert said.count("\n") == 1
