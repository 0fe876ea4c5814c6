"""How people name an account of the books: by its id, by whose it is, or by what it is for."""

from hutong.institution import chart
from hutong.institution.chart import AccountCode, Chart
from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.kernel.ids import id_text, parse_id
from hutong.ledger.transfer import Account

ACCOUNT_PREFIX, TRANSFER_PREFIX = "acc", "trf"
_DEBIT_NORMAL = (1, 5)  # Assets and expenses: the first digit of the code.
_OWNERS = {
    AccountCode.WALLET: "usr",
    AccountCode.MERCHANT: "mer",
    AccountCode.DISPUTED: "dsp",
    AccountCode.RED_PACKET: "rpk",
}


class BookReason(Reason):
    """Why something can't be looked up in the books."""

    ACCOUNT_UNKNOWN = Kind.NOT_FOUND, "AC03"
    ACCOUNT_NAME_MALFORMED = Kind.INVALID, "NARR"
    TRANSFER_UNKNOWN = Kind.NOT_FOUND, "NARR"


def account_named(own: Chart, name: str) -> int:
    """
    The id of the account that `name` says: `acc_…`, `usr_…` (a person's wallet), `mer_…`, `dsp_…` (what is set aside in a
    dispute), `rpk_…` (what is in a red packet), or one of the node's own as in the chart: `reserve`, `clearing`, `fee_income`.

    Refuses:  ACCOUNT_NAME_MALFORMED; ID_MALFORMED. Whether there is such an account, the ledger knows.
    """
    prefix = name.partition("_")[0]
    if name.upper() in AccountCode.__members__ and AccountCode[name.upper()] in _own_codes(own):
        return own_account(own, AccountCode[name.upper()])
    match prefix:
        case "acc":
            return parse_id(ACCOUNT_PREFIX, name)
        case "usr":
            return chart.user_account(parse_id("usr", name), own.currency)
        case "mer":
            return chart.merchant_account(parse_id("mer", name), own.currency)
        case "dsp":
            return chart.disputed_account(parse_id("dsp", name), own.currency)
        case "rpk":
            return chart.red_packet_account(parse_id("rpk", name), own.currency)
        case _:
            expected = "acc_…, usr_…, mer_…, dsp_…, rpk_… or a name of the chart"
            raise Refusal(BookReason.ACCOUNT_NAME_MALFORMED, field="account", expected=expected)


def own_account(own: Chart, code: AccountCode) -> int:
    """The id of one of the node's own accounts."""
    (id_,) = (account.id for account in own.accounts() if account.code == code)
    return id_


def _own_codes(own: Chart) -> set[int]:
    return {account.code for account in own.accounts()}


def owner_text(account: Account) -> str:
    """Whose an account is, as people see it; empty for the node's own, and for what has no page."""
    prefix = _OWNERS.get(AccountCode(account.code))
    return id_text(prefix, account.user_data_128) if prefix else ""


def is_debit_normal(code: int) -> bool:
    """Whether accounts of this code stand in debit when all is well: assets and expenses."""
    return code // 1000 in _DEBIT_NORMAL


def balance_of(account: Account) -> int:
    """What is posted, positive on the side on which accounts of this code stand."""
    return signed(account.code, account.debits_posted - account.credits_posted)


def signed(code: int, debit: int) -> int:
    """A debit balance as people read it: positive on the normal side."""
    return debit if is_debit_normal(code) else -debit
