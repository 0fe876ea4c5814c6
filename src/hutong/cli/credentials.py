"""
Who somebody is at which node: tokens, kept in one file that only its owner may read.

A token is as good as the person it stands for, so the file has mode 0600 and lies in the data directory.
"""

import os
from pathlib import Path

import msgspec

from hutong.app.wallet import Phone
from hutong.kernel.errors import Kind, Reason, Refusal


class CredentialsReason(Reason):
    """Why a command does not know in whose name to act."""

    NOT_SIGNED_IN = Kind.NOT_ALLOWED, "NARR"
    WHO_IS_MEANT = Kind.INVALID, "NARR"
    CREDENTIALS_UNREADABLE = Kind.INVALID, "NARR"


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """One person, merchant or operator at one node."""

    node: str
    name: str
    role: str  # user, merchant or operator
    token: str
    phone: str = ""
    device: Phone | None = None  # A user's: what payment codes are made from.
    bank_account_id: str = ""  # The account at a bank that was linked here last.

    def __repr__(self) -> str:
        return f"Credential({self.role} {self.name} at {self.node})"


class Credentials:
    """All credentials of one data directory."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "credentials.json"

    def all(self) -> list[Credential]:
        """Every credential. Refuses CREDENTIALS_UNREADABLE."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=list[Credential])
        except FileNotFoundError:
            return []
        except (OSError, msgspec.DecodeError) as error:
            raise Refusal(CredentialsReason.CREDENTIALS_UNREADABLE, file=self._path, said=str(error)) from None

    def keep(self, credential: Credential) -> None:
        """Add it, in the place of an older one of the same name and role at the same node."""
        known = [each for each in self.all() if _key(each) != _key(credential)]
        self._path.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        # Made with its mode: it is at no time open to others.
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode([*known, credential]), indent=2))
        fresh.rename(self._path)

    def find(self, role: str, *, node: str = "", who: str = "") -> Credential:
        """
        The one credential of a role that is meant: by node, by name or phone, or because there is only one.

        Refuses:  NOT_SIGNED_IN; WHO_IS_MEANT, naming those it could be.
        """
        fitting = [
            each
            for each in self.all()
            if each.role == role and node in ("", each.node) and (not who or _is_called(each, who))
        ]
        if not fitting:
            how = "hutong register or hutong login" if role == "user" else f"hutong login --{role}"
            asked = {"node": node, "who": who}
            raise Refusal(CredentialsReason.NOT_SIGNED_IN, how=how, **{k: v for k, v in asked.items() if v})
        if len(fitting) > 1:
            known = ", ".join(f"{each.name} at {each.node}" for each in fitting)
            raise Refusal(CredentialsReason.WHO_IS_MEANT, known=known, say="--as NAME, --node NODE")
        return fitting[0]


def _key(credential: Credential) -> tuple[str, str, str]:
    return credential.node, credential.role, credential.phone or credential.name


def _is_called(credential: Credential, who: str) -> bool:
    return who == credential.name or (bool(credential.phone) and credential.phone.endswith(who))
