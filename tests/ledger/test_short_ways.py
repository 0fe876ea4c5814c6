"""The short ways of one plain transfer give what the general ones give."""

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from hutong.kernel.ids import derive
from hutong.ledger import recipes
from hutong.ledger.books import Books
from hutong.ledger.pairs import create_pair
from hutong.ledger.recipes import Leg
from hutong.ledger.rows import TRANSFER, TransferRow
from hutong.ledger.transfer import AMOUNT_MAX, Account, AccountFlag, Transfer, TransferFlag, TransferStatus
from hutong.runtime.tables import _compile_packer, _wide

BASE = derive(1 << 80, "a payment")
IDS = st.integers(1, 6)
AMOUNTS = st.one_of(st.integers(0, 5), st.integers(AMOUNT_MAX - 3, AMOUNT_MAX))
FLAGS = st.sampled_from([0, TransferFlag.PENDING, TransferFlag.POST_PENDING, TransferFlag.VOID_PENDING])


@st.composite
def transfers(draw: st.DrawFn) -> list[Transfer]:
    """Few ids, few accounts and little money: much is refused, repeated and resolved."""
    made: list[Transfer] = []
    for _ in range(draw(st.integers(1, 12))):
        flags = int(draw(FLAGS))
        if flags & (TransferFlag.POST_PENDING | TransferFlag.VOID_PENDING):
            amount = AMOUNT_MAX if flags & TransferFlag.POST_PENDING else 0
            made.append(Transfer(draw(IDS), 0, 0, amount, 0, 0, flags, draw(IDS)))
        else:
            accounts = st.integers(1, 4)
            made.append(Transfer(draw(IDS), draw(accounts), draw(accounts), draw(st.integers(0, 5)), 1, 1, flags))
    return made


def opened(books: Books | None = None) -> Books:
    books = books or Books()
    overdraft = int(AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS)
    books.create_accounts([Account(1, 1, 1), Account(2, 1, 1, overdraft), Account(3, 1, 1, overdraft)], 100)
    return books


@given(transfers())
def test_one_by_one_or_in_one_batch_the_answers_rows_and_balances_are_the_same(asked: list[Transfer]) -> None:
    together, alone = opened(), opened()
    now_ns = 1000
    answers = together.create_transfers(asked, now_ns)
    first_ns = now_ns - len(asked) + 1
    assert [alone.create_transfers([transfer], first_ns + i)[0] for i, transfer in enumerate(asked)] == answers
    assert alone.log == together.log
    assert alone.open == together.open
    assert alone.burned == together.burned
    assert [state.account() for state in alone.accounts.values()] == [
        state.account() for state in together.accounts.values()
    ]


@given(st.integers(0, 10_000), st.integers(0, 100), st.booleans())
def test_a_recipe_of_which_the_principal_alone_is_left_is_the_chain_of_it(
    amount: int, discount: int, pending: bool
) -> None:
    def chain(debit: int, credit: int, minor: int, flags: int) -> list[Transfer]:
        legs = [(Leg.PRINCIPAL, debit, credit, minor), (Leg.FEE, 8, 9, 0)]
        return recipes._chain(BASE, 7, legs, 156, 10, flags)

    flags = int(TransferFlag.PENDING)
    gross = amount + discount
    held = recipes.hold(
        BASE,
        7,
        payer=1,
        clearing=2,
        budget=3,
        interchange_income=4,
        gross=gross,
        payee_discount=discount,
        ledger=156,
        code=10,
    )
    assert held == chain(1, 2, amount, flags)
    reserved = recipes.reserve(
        BASE,
        7,
        debtor_position=1,
        creditor_position=2,
        scheme_income=3,
        gross=gross,
        interchange=discount,
        ledger=156,
        code=10,
    )
    assert reserved == chain(1, 2, amount, flags)
    accepted = recipes.accept(
        BASE, 7, clearing=1, payee=2, fee_income=3, acquiring_expense=4, sponsor=5, gross=gross, ledger=156, code=10
    )
    assert accepted == chain(1, 2, gross, flags)
    paid = recipes.pay_on_us(
        BASE, 7, payer=1, payee=2, fee_income=3, budget=4, sponsor=5, gross=gross, ledger=156, code=10
    )
    assert paid == chain(1, 2, gross, 0)
    resolve = recipes.post if pending else recipes.void
    both = resolve([*held, *reserved])
    assert resolve(held) == both[-1:]


@given(st.integers(0, 10_000), st.integers(1, 100), st.integers(0, 100))
def test_a_recipe_of_a_discount_and_nothing_else_is_the_chain_of_the_two(paid: int, off: int, sponsored: int) -> None:
    def chain(flags: int) -> list[Transfer]:
        legs = [(Leg.PRINCIPAL, 1, 2, paid), (Leg.PAYER_DISCOUNT, 3, 2, off), (Leg.FEE, 2, 9, 0)]
        return recipes._chain(BASE, 7, legs, 156, 10, flags)

    held = recipes.hold(
        BASE,
        7,
        payer=1,
        clearing=2,
        budget=3,
        interchange_income=4,
        gross=paid + off + sponsored,
        payer_discount=off,
        payee_discount=sponsored,
        ledger=156,
        code=10,
    )
    assert held == chain(int(TransferFlag.PENDING))
    gross = paid + off
    on_us = recipes.pay_on_us(
        BASE,
        7,
        payer=1,
        payee=2,
        fee_income=4,
        budget=3,
        sponsor=5,
        gross=gross,
        payer_discount=off,
        ledger=156,
        code=10,
    )
    assert on_us == chain(0)


BALANCE = st.one_of(st.integers(0, 2**64 + 2), st.integers(0, 2**128 - 1))
_COLUMNS = {column.name: column for column in TRANSFER.columns}
_PACK_WIDE = _compile_packer(tuple(_wide(_COLUMNS[name]) for name in TRANSFER.packed_names[1:]))
_IN_ORDER = _compile_packer(TRANSFER.columns)


@given(BALANCE, BALANCE, BALANCE, BALANCE)
def test_balances_are_packed_as_any_128_bits(a: int, b: int, c: int, d: int) -> None:
    row = TransferRow(1, 2, 3, 0, 5, a, b, c, d, 10, 156, 0, 0, 1, 2, 100, 0)
    assert TRANSFER.pack(9, row) == _PACK_WIDE(9, row)


def _fields(packed: bytes) -> list[bytes]:
    """A packed row's columns, each with its length."""
    fields, at = [], 2
    for _ in range(int.from_bytes(packed[:2])):
        end = at + 4 + int.from_bytes(packed[at : at + 4])
        fields.append(packed[at:end])
        at = end
    assert at == len(packed)
    return fields


@given(st.lists(st.integers(0, 2**31 - 1), min_size=6, max_size=6), st.lists(BALANCE, min_size=9, max_size=9), AMOUNTS)
def test_what_many_transfers_have_in_common_is_packed_behind_the_rest_and_as_it_is_apart(
    kind: list[int], ids: list[int], amount: int
) -> None:
    ledger, more, timeout, code, flags, most = kind
    one, debit, credit, pending, about, a, b, c, d = ids
    row = TransferRow(
        one, debit, credit, pending, about, a, b, c, d, 10, ledger, more, timeout, code, flags, amount, most
    )
    apart = dict(zip(TRANSFER.column_names, _fields(_IN_ORDER(9, row)), strict=True))
    for _ in range(2):  # The second time it is found.
        assert dict(zip(TRANSFER.packed_names, _fields(TRANSFER.pack(9, row)), strict=True)) == apart
    other = msgspec.structs.replace(row, code=code ^ 1, flags=flags ^ 1)
    assert TRANSFER.pack(9, other) != TRANSFER.pack(9, row)


class Plodding(Books):
    """Goes the long way with every transfer that moves anything."""

    def _create(self, t: Transfer, timestamp: int) -> TransferStatus:
        known = t.id in self.transfers or t.id in self.burned or not 0 < t.id < 2**128 - 1
        return super()._create(t, timestamp) if known or t.flags & _RESOLVING else self._move(t, timestamp)


_RESOLVING = int(TransferFlag.POST_PENDING | TransferFlag.VOID_PENDING)


@given(st.lists(st.tuples(IDS, st.integers(1, 5), st.integers(1, 5), AMOUNTS, st.integers(0, 2), st.booleans())))
def test_what_is_posted_at_once_moves_as_the_long_way_moves_it(
    asked: list[tuple[int, int, int, int, int, bool]],
) -> None:
    short, long = opened(), opened(Plodding())
    legs = [
        Transfer(id_, debit, credit, amount, 1, code, int(linked)) for id_, debit, credit, amount, code, linked in asked
    ]
    assert short.create_transfers(legs, 1000) == long.create_transfers(legs, 1000)
    assert (short.log, short.burned) == (long.log, long.burned)
    assert [state.account() for state in short.accounts.values()] == [
        state.account() for state in long.accounts.values()
    ]


@st.composite
def chains_of_two(draw: st.DrawFn) -> list[tuple[Transfer, Transfer]]:
    """Mostly what a discount makes of a payment: held or paid by two, and posted; with mistakes in it."""
    made: list[tuple[Transfer, Transfer]] = []
    rarely = st.sampled_from([0, 0, 0, 0, 1])
    for _ in range(draw(st.integers(1, 10))):
        flags = int(draw(FLAGS))
        id_, other = draw(IDS), draw(st.integers(1, 9))
        link = 1 - draw(rarely)
        if flags & _RESOLVING:
            amount = AMOUNT_MAX if flags & TransferFlag.POST_PENDING else 0
            first = Transfer(id_, 0, 0, amount, 0, 0, flags | link, draw(IDS), draw(rarely))
            second = Transfer(other, 0, 0, amount - draw(rarely) if amount else 0, 0, 0, flags, draw(IDS), draw(rarely))
        else:
            accounts, credit, code = st.integers(1, 5), draw(st.integers(1, 4)), 1 - draw(rarely)
            first = Transfer(
                id_, draw(accounts), credit, draw(AMOUNTS), 1, code, flags | link, draw(rarely), 7, timeout=draw(rarely)
            )
            second = Transfer(
                other, draw(accounts), credit, draw(AMOUNTS), 1 + draw(rarely), 1, flags, 0, 8, 9, timeout=draw(rarely)
            )
        made.append((first, second))
    return made


@given(chains_of_two())
@example([(Transfer(1, 1, 2, 3, 1, 1, 1), Transfer(2, 4, 2, 3, 1, 1))])
@example(
    [
        (Transfer(1, 1, 3, 5, 1, 1, 3), Transfer(2, 4, 3, 2, 1, 1, 2)),
        (Transfer(3, 0, 0, AMOUNT_MAX, 0, 0, 5, 1), Transfer(4, 0, 0, AMOUNT_MAX, 0, 0, 4, 2)),
    ]
)
def test_two_that_are_decided_together_are_decided_as_one_after_the_other(
    asked: list[tuple[Transfer, Transfer]],
) -> None:
    short, long = opened(), opened()
    for books in (short, long):
        books.create_accounts(
            [Account(4, 1, 1), Account(5, 1, 1, int(AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS))], 200
        )
    malformed = Transfer(0, 1, 2, 1, 1, 1)  # Three are not two: with it they go the long way.
    for at, (first, second) in enumerate(asked):
        now_ns = 1000 + 10 * at
        answers = short.create_transfers([first, second], now_ns)
        assert long.create_transfers([malformed, first, second], now_ns)[1:] == answers
    assert short.log == long.log
    assert (short.transfers, short.open, short.resolved, short.burned) == (
        long.transfers,
        long.open,
        long.resolved,
        long.burned,
    )
    assert [(state.account(), state.touched) for state in short.accounts.values()] == [
        (state.account(), state.touched) for state in long.accounts.values()
    ]


def test_what_a_discount_makes_of_a_payment_is_decided_together() -> None:
    books = opened()
    books.create_accounts([Account(4, 1, 1)], 200)
    base, other = 1 << 90, 3 << 90
    on_us = recipes.pay_on_us(
        base, 7, payer=1, payee=2, fee_income=5, budget=4, sponsor=6, gross=9, payer_discount=2, ledger=1, code=1
    )
    held = recipes.hold(
        other, 7, payer=1, clearing=2, budget=4, interchange_income=5, gross=9, payer_discount=2, ledger=1, code=1
    )
    for pair in (on_us, held, recipes.post(held)):
        first, second = pair
        assert create_pair(books, first, second, 300)
        assert not create_pair(books, first, second, 400), "which is said why by the long way"
