"""`hutong secrets`: the file of a node's secrets on this machine. A node that runs takes changes up when it starts again."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from hutong.app.secrets import Renewable, change_secrets_key, node_secrets, renew_secret, secrets_are_sealed
from hutong.cli.connection import settings
from hutong.cli.output import AsJson, show_json, stdout
from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.kernel.ids import system_randomness


class SecretsReason(Reason):
    """Why a file of secrets was left as it is."""

    NO_SECRETS_HERE = Kind.NOT_FOUND, "NARR"
    KEY_FILE_UNREADABLE = Kind.INVALID, "NARR"


def show(node: str, /, *, json: AsJson = False) -> None:
    """Whether the file is sealed, and what is in it, but no secret."""
    ours = settings()
    _check(node)
    sealed = secrets_are_sealed(ours.data_directory, node)
    secrets = node_secrets(ours.data_directory, node, system_randomness(), ours.secrets_key)
    signing_keys = [key.key_id for key in secrets.signing_keys]
    told = {
        "node": node,
        "sealed": sealed or bool(ours.secrets_key),
        "signing_keys": signing_keys,
        "older_pin_peppers": len(secrets.older_pin_peppers),
        "older_sealing_keys": len(secrets.older_sealing_keys),
    }
    if json:
        show_json(told)
        return
    state = "sealed" if told["sealed"] else "PLAIN: set HUTONG_SECRETS_KEY_FILE, and it is sealed when next read"
    stdout.print(f"{node}: {state}; signs with {', '.join(signing_keys)}")


def renew(node: str, what: Renewable, /, *, json: AsJson = False) -> None:
    """Replace the operator's token, the pepper of PINs, the sealing key or the key of tokens."""
    ours = settings()
    _check(node)
    renewed = renew_secret(ours.data_directory, node, system_randomness(), what, ours.secrets_key)
    token = renewed.operator_token if what is Renewable.OPERATOR_TOKEN else ""
    if json:
        show_json({"node": node, "renewed": what.value} | ({"token": token} if token else {}))
        return
    stdout.print(f"{node}: {what.value} renewed; start the node again.")
    if token:
        stdout.print(token)


def rekey(
    node: str,
    /,
    *,
    new_key_file: Annotated[Path | None, Parameter(help="The new key: 64 hexadecimal digits, or a passphrase.")] = None,
    plain: Annotated[bool, Parameter(negative="", help="Write the file unsealed, to be kept in a safe.")] = False,
    json: AsJson = False,
) -> None:
    """Seal the file with another key than the settings'; then change the settings."""
    ours = settings()
    _check(node)
    if plain == (new_key_file is not None):
        raise Refusal(SecretsReason.KEY_FILE_UNREADABLE, say="--new-key-file FILE, or --plain")
    try:
        key = new_key_file.read_text(encoding="utf-8").strip() if new_key_file else ""
    except (OSError, ValueError) as error:
        raise Refusal(SecretsReason.KEY_FILE_UNREADABLE, file=new_key_file, said=str(error)) from None
    if new_key_file and not key:
        raise Refusal(SecretsReason.KEY_FILE_UNREADABLE, file=new_key_file, said="it is empty")
    change_secrets_key(ours.data_directory, node, system_randomness(), ours.secrets_key, key)
    if json:
        show_json({"node": node, "sealed": bool(key)})
    else:
        stdout.print(f"{node}: {'sealed with the new key' if key else 'plain'}.")


def _check(node: str) -> None:
    if not (settings().data_directory / "secrets" / f"{node}.json").exists():
        raise Refusal(SecretsReason.NO_SECRETS_HERE, node=node, say=f"hutong keys {node} makes them")
