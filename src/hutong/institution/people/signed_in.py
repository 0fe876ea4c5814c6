"""What signing in gives."""

from dataclasses import dataclass

from hutong.institution.people.user import User


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session just begun. Its token is told this once."""

    user: User
    device_id: int
    token: str
    expires_ns: int
