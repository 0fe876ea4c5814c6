"""What only a network for trying out has: people and shops whose secrets are no secrets, and texts that are shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SamplePerson:
    """Somebody who can be signed in as: a payer by `phone` and `pin`."""

    name: str
    phone: str
    pin: str


@dataclass(frozen=True, slots=True)
class SampleStaff:
    """One of a merchant's staff: `role` is one of `staff_key.Role`."""

    name: str
    merchant: str
    role: str
    phone: str
    pin: str


@dataclass(frozen=True, slots=True)
class SampleOperator:
    """An operator of this node, by the token."""

    name: str
    role: str
    token: str


class Sandbox(Protocol):
    """What this node's pages may show."""

    def one_time_code(self, phone: str) -> str:
        """The newest code that would have been texted to a number; empty where none was."""

    def people(self) -> Sequence[SamplePerson]: ...
    def staff(self) -> Sequence[SampleStaff]: ...
    def operators(self) -> Sequence[SampleOperator]: ...
