"""
What is printed for Go and PHP, run by the languages themselves, word for word: an order is placed, paid by somebody at another
institution and looked at, and every answer's signature verified.

Their vendors' clients are in registries of other kinds, so what is printed meets their names over each language's own library.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.gateways.clients.printed import printed
from tests.gateways.clients.stage import PROGRAMS, Stage, environment

pytestmark = pytest.mark.timeout(900)
STATES = {"wechatpay": "SUCCESS", "alipay": "TRADE_SUCCESS"}
IMPORTS = {
    "wechatpay": (
        "context",
        *(f"github.com/wechatpay-apiv3/wechatpay-go/{each}" for each in ("core", "core/option", "utils")),
    ),
    "alipay": ("os", "github.com/smartwalle/alipay/v3"),
}
CONFIGURED = {"wechatpay": "(ctx context.Context) (*core.Client, error)", "alipay": "() (*alipay.Client, error)"}


def installed(language: str) -> str:
    """Where a language is; without it the test waits, and outside of `make test-gateways`."""
    environment("wechatpay")
    found = shutil.which(language)
    if found is None:
        pytest.skip(f"waits for {language}: make gateway-languages installs it")
    return found


@pytest.mark.parametrize("vendor", STATES)
def test_php_runs_what_is_printed_for_it(stage: Stage, vendor: str, tmp_path: Path) -> None:
    php = installed("php")
    given = printed(stage, vendor, "php", tmp_path / vendor)
    file = tmp_path / "printed.php"
    file.write_text(f"<?php\n{given.text}")
    arguments = re.findall(r"APIv3 key, for callbacks: (\S+)   appid: (\S+)", given.text)
    ((api_v3_key, appid),) = arguments or (("", ""),)
    program = [php, str(PROGRAMS / "php" / f"{vendor}.php"), str(file), appid, api_v3_key]
    assert stage.play(program, private=False) == {"done": True, "state": STATES[vendor]}


@pytest.mark.parametrize("vendor", STATES)
def test_go_runs_what_is_printed_for_it(stage: Stage, vendor: str, tmp_path: Path) -> None:
    go = installed("go")
    given = printed(stage, vendor, "go", tmp_path / vendor)
    place = tmp_path / "shop"
    shutil.copytree(PROGRAMS / "go" / vendor, place)
    imports = "\n".join(f'import "{each}"' for each in IMPORTS[vendor])
    body = f"func configured{CONFIGURED[vendor]} {{\n{given.text}\nreturn client, err\n}}\n"
    (place / "printed.go").write_text(f"package main\n\n{imports}\n\n{body}")
    environ = os.environ | {"GOPROXY": "off", "GOFLAGS": "-mod=mod", "GOCACHE": str(tmp_path / "cache")}
    for command in (["vet", "./..."], ["build", "-o", "shop", "."]):
        done = subprocess.run([go, *command], cwd=place, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    appid = re.search(r"appid: (\S+)", given.text)
    program = [str(place / "shop"), given.account["number"], appid[1] if appid else ""]
    # WeChat Pay's is told no address: it calls the real names.
    assert stage.play(program, private=vendor == "wechatpay") == {"done": True, "state": STATES[vendor]}
