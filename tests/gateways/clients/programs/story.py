"""What every merchant's program here has besides its client: the line to the test, and a door for callbacks."""

import json
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any

ACCOUNT = Path(sys.argv[1])
MADE = json.loads((ACCOUNT / "account.json").read_text())
BASE_URL = sys.argv[2] if len(sys.argv) > 2 else ""  # Empty: the names of the real services.
_numbers = iter(range(1, 10**6))


def number(prefix: str = "T") -> str:
    """A number of the shop's own, that no other run had."""
    return f"{prefix}{MADE['account']['number'][-4:]}{threading.get_native_id()}{next(_numbers):03d}"


def do(what: str, **facts: Any) -> dict[str, Any]:
    """Have something done elsewhere."""
    sys.stdout.write(json.dumps({"do": what, **facts}) + "\n")
    sys.stdout.flush()
    answer: dict[str, Any] = json.loads(sys.stdin.readline())
    return answer


def pay(code: str, **facts: Any) -> dict[str, Any]:
    """Somebody at another institution scans it and pays."""
    paid = do("pay", code=code, **facts)
    assert paid.get("state") == "COMPLETED", paid
    return paid


def payment_code(at: str = "jing") -> str:
    """What that payer shows the till."""
    return str(do("payment_code", at=at)["payment_code"])


def race(code: str, close: Callable[[], bool]) -> bool:
    """The shop closes what somebody is just paying: one of the two wins. Whether it was paid."""
    closing = ThreadPoolExecutor(1).submit(close)
    paid = do("pay", code=code).get("state") == "COMPLETED"
    closed = closing.result()
    assert paid != closed, (paid, closed)
    return paid


def eventually(look: Any, expected: Any) -> None:
    """What is true soon, if not at once."""
    for _ in range(100):
        found = look()
        if found == expected:
            return
        time.sleep(0.1)
    raise AssertionError((found, expected))


def tell(**facts: Any) -> None:
    """The last word."""
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


class Callbacks:
    """Where callbacks arrive. `accept` judges each: the answer's status and body."""

    def __init__(self, accept: Any) -> None:
        self.came: Queue[Any] = Queue()
        came = self.came

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                try:
                    found, status, answer = accept(dict(self.headers), body)
                except Exception as error:  # noqa: BLE001  # A broken merchant is a test that fails elsewhere.
                    found, status, answer = error, 500, b"broken"
                came.put(found)
                self.send_response(status)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/told"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def next(self) -> Any:
        """The next that came; fails when none does."""
        found = self.came.get(timeout=60)
        if isinstance(found, Exception):
            raise found
        return found
