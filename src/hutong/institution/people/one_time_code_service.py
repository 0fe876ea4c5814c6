"""Sending one-time codes to telephones, and taking them back."""

import hmac
from functools import partial
from typing import Protocol

import msgspec

from hutong.institution.people.one_time_code import (
    CODE_DIGITS,
    WRONG_MAX,
    OneTimeCode,
    Purpose,
    code_key,
    next_code,
)
from hutong.institution.people.reasons import PeopleReason
from hutong.institution.people.repository import PeopleRepository
from hutong.institution.people.tokens import TokenKeys
from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.runtime.node import NodeRuntime

# Of the whole node, so that nobody spends our money by naming ever other numbers: 5 a second, 300 at once.
_INTERVAL_NS = NS_PER_S // 5
_BURST = 300


class CodeSender(Protocol):
    """
    The way to a telephone: a gateway for text messages in life, a list on the screen in the demo.

    It returns at once and raises nothing: what it cannot send, the user asks for again.
    """

    def send(self, phone: str, purpose: Purpose, code: str) -> None: ...


class OneTimeCodeService:
    """Each code is new chance; it is known to the telephone alone, and here by a keyed hash."""

    def __init__(self, node: NodeRuntime, repository: PeopleRepository, keys: TokenKeys, sender: CodeSender) -> None:
        self._node = node
        self._repository = repository
        self._keys = keys
        self._sender = sender
        self._good_at_ns = 0

    def request(self, purpose: Purpose, phone: str) -> OneTimeCode:
        """
        Send a code to the telephone once that is durable.

        Refuses:  CODE_REQUESTS_EXHAUSTED, too soon or too often for this number, or too many for this node.
        Repeats:  within a minute refused; later it is another code, and the earlier one is good no longer.
        """
        now_ns = self._node.clock.now_ns()
        key = code_key(purpose, phone)
        previous = self._repository.one_time_codes.get(key)
        code = f"{self._node.randomness.getrandbits(64) % 10**CODE_DIGITS:0{CODE_DIGITS}d}"
        sent = next_code(previous, key, self._keys.code_mac(key, code), now_ns)
        good_at_ns = max(self._good_at_ns, now_ns) + _INTERVAL_NS
        if good_at_ns > now_ns + _BURST * _INTERVAL_NS:
            raise Refusal(PeopleReason.CODE_REQUESTS_EXHAUSTED, retry_after_s=1)
        self._good_at_ns = good_at_ns
        self._repository.one_time_codes.put(sent)
        self._node.journal.effect(partial(self._sender.send, phone, purpose, code))
        return sent

    def check(self, purpose: Purpose, phone: str, code: str, used_for: str) -> OneTimeCode:
        """
        What was sent, if `code` is it; the caller then notes its use. It comes behind all look-ups: a miss is counted.

        Refuses:  ONE_TIME_CODE_EXPIRED, ONE_TIME_CODE_USED, ONE_TIME_CODE_WRONG.
        """
        now_ns = self._node.clock.now_ns()
        key = code_key(purpose, phone)
        sent = self._repository.one_time_codes.get(key)
        if sent is None:
            raise Refusal(PeopleReason.ONE_TIME_CODE_EXPIRED)
        sent.check_fresh(used_for, now_ns)
        if not hmac.compare_digest(sent.mac, self._keys.code_mac(key, code)):
            wrong = sent.wrong + 1
            self._repository.one_time_codes.put(msgspec.structs.replace(sent, wrong=wrong))
            raise Refusal(PeopleReason.ONE_TIME_CODE_WRONG, tries_left=WRONG_MAX - wrong)
        return sent

    def use(self, sent: OneTimeCode, used_for: str) -> None:
        """Note what a code was used for: nothing else can use it."""
        if sent.used_for != used_for:
            self._repository.one_time_codes.put(msgspec.structs.replace(sent, used_for=used_for))
