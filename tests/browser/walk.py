"""A walker that opens every page its links lead to, in the name of whoever is signed in, and keeps what it saw."""

import re
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx

from hutong.web.assets import contents
from tests.network.street import NO_TLS

_IDS = re.compile(r"[a-z]{2,4}_[0-9A-HJKMNP-TV-Z]{10,26}|\d{4}-\d{2}(-\d{2})?|\d+")
_NO_PAGES = ("/docs", "/v1", "/static", "/language", "/scheme", "/health", "/metrics")
_IN_SCRIPTS = re.compile(r'"(/(?:wallet|till|console|desk|staff)[a-z/_-]*)"')
_ALIKE_MAX = 3
_STREAM_S = 1.5
_TIMEOUT_S = 30


@dataclass
class Page:
    """What a path answered."""

    path: str
    status: int
    kind: str
    text: str


class _Links(HTMLParser):
    """What a page leads to, sends to, and is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.leads: list[str] = []
        self.sends: set[str] = set()
        self.parts: set[str] = set()
        self.csrf = ""
        self._action = ""

    def handle_starttag(self, tag: str, given: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in given}
        if tag == "a" and "href" in values:
            self.leads.append(values["href"])
        if tag == "form":
            self._action = values.get("action", "")
            if values.get("method", "get").lower() == "post":
                self.sends.add(self._action)
            elif self._action:
                self.leads.append(self._action)
        if values.get("formaction"):
            self.sends.add(values["formaction"])
        if tag == "script" and "src" in values:
            self.parts.add(values["src"])
        if tag == "link" and values.get("rel") == "stylesheet":
            self.parts.add(values["href"])
        if tag == "meta" and values.get("name") == "csrf":
            self.csrf = values["content"]
        self.leads += [value for name, value in values.items() if name.startswith("data-") and value.startswith("/")]
        if tag in {"img", "embed", "iframe", "source"} and values.get("src", "").startswith("/"):
            self.leads.append(values["src"])


@dataclass
class Walker:
    """Somebody at one node. `seen` is every page that was opened, `sends` where its forms go."""

    who: str
    node: str
    http: httpx.Client
    seen: dict[str, Page] = field(default_factory=dict)
    sends: set[str] = field(default_factory=set)
    parts: dict[str, set[str]] = field(default_factory=dict)
    _alike: Counter[str] = field(default_factory=Counter)

    @classmethod
    def at(cls, who: str, node: str, url: str) -> "Walker":
        headers = {"accept-language": "en", "accept": "text/html"}
        return cls(
            who, node, httpx.Client(base_url=url, headers=headers, timeout=_TIMEOUT_S, trust_env=False, verify=NO_TLS)
        )

    def submit(self, page: str, action: str, **fields: str) -> None:
        """Send a form of a page, as its own browser would."""
        links = _Links()
        links.feed(self.http.get(page).text)
        answer = self.http.post(action, data={"csrf": links.csrf, "next": "", **fields})
        assert answer.status_code == 303, (self.who, answer.status_code, answer.text)

    def walk(self, *starts: str) -> None:
        """Everything from here on, each kind of page a few times."""
        found = [*starts, *script_paths()]
        while found:
            path = found.pop(0)
            if path not in self.seen and self._is_new(path):
                page = self.seen[path] = self.open(path)
                found += self._links(page)

    def open(self, path: str) -> Page:
        """One page, its redirects followed; of a stream, what comes at once."""
        with self.http.stream("GET", path, follow_redirects=True, timeout=_STREAM_S * 10) as answer:
            kind = answer.headers.get("content-type", "").partition(";")[0]
            if kind == "text/event-stream":
                return Page(path, answer.status_code, kind, next(answer.iter_text(), ""))
            answer.read()
            return Page(path, answer.status_code, kind, answer.text)

    def send_nothing(self, path: str, **headers: str) -> httpx.Response:
        """A form that no page of ours sent."""
        return self.http.post(path, data={"amount": "1"}, headers=headers)

    def _links(self, page: Page) -> list[str]:
        if page.kind != "text/html":
            return []
        links = _Links()
        links.feed(page.text)
        self.parts[page.path] = links.parts
        self.sends |= {_own(action or page.path, page.path) for action in links.sends} - {""}
        return [path for href in links.leads if (path := _own(href, page.path))]

    def _is_new(self, path: str) -> bool:
        parts = urlsplit(path)
        names = sorted(name for name, _ in parse_qsl(parts.query))
        kind = _IDS.sub("N", parts.path) + "?" + ",".join(names)
        self._alike[kind] += 1
        return self._alike[kind] <= _ALIKE_MAX


def script_paths() -> list[str]:
    """What our scripts ask for by themselves: streams, states, keys."""
    scripts = [content.decode() for name, content in contents().items() if name.endswith(".js")]
    return sorted({path for script in scripts for path in _IN_SCRIPTS.findall(script)})


def _own(href: str, base: str) -> str:
    """The path of this node that a link leads to; empty for what is elsewhere or no page."""
    if href.startswith(("http:", "https:", "mailto:", "tel:", "#", "data:", "blob:")) or ":" in href.partition("/")[0]:
        return ""
    path = urljoin(base, href).partition("#")[0]
    return "" if path.startswith(_NO_PAGES) else path
