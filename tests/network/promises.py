"""
A checker of its own for claims: what claimants were told, held against the rows of the institution that gave it.

Like `tests.network.history` it imports nothing of the product: it reads the claimants' diaries and, by its own SQL, the rows,
and adds everything up itself.

What it holds: who was told "yes" finds it kept, once, with its amount; who was told "no" got nothing; nothing was given that
nobody asked for; no stock, budget or limit is passed by one, at no moment; what campaigns gave is what their accounts paid and
payments were cheaper by, what was given back came back once, coupons are spent once, and everybody has to the fen what they
were told.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any

import asyncpg

from tests.network.history import number


@dataclass(frozen=True)
class Terms:
    """What was promised at most."""

    template: str
    stock: int
    per_person: int
    budgets: Mapping[str, int]  # By campaign: of discounts, of coupons.
    times: Mapping[str, int]  # By campaign: to one person at most so often.
    packets: Mapping[str, int]  # By packet: its amount.
    price: int
    funds: Mapping[str, int]  # By person: what they had.


@dataclass
class Diaries:
    """What claimants know, together."""

    coupons: dict[str, str] = field(default_factory=dict)  # By id: who was told yes.
    refused: set[str] = field(default_factory=set)  # Ids of coupons, payments and refunds that were told no.
    payments: dict[str, tuple[str, int]] = field(default_factory=dict)  # By id: who, and what was taken off.
    refunds: dict[str, str] = field(default_factory=dict)  # By id: which payment was given back.
    shares: dict[tuple[str, str], int] = field(default_factory=dict)  # By link and person: what they got.
    answers: Counter[str] = field(default_factory=Counter)
    unheard: int = 0
    wrong: list[str] = field(default_factory=list)


@dataclass
class Rows:
    """What the institution has; every list as read, so that what is there twice is seen twice."""

    claims: list[tuple[str, str, int]] = field(default_factory=list)  # Id, person, which of its template.
    coupons: dict[str, tuple[str, str, str]] = field(default_factory=dict)  # By id: state, award, person.
    # Id, campaign, person, payment, coupon, amount, what of it came back, state.
    awards: list[tuple[str, str, str, str, str, int, int, str]] = field(default_factory=list)
    steps: list[tuple[str, int]] = field(
        default_factory=list
    )  # In order: the campaign, and what an award's row changes.
    moves: list[tuple[str, int]] = field(default_factory=list)  # The same of campaigns' ledger accounts.
    refunds: dict[str, tuple[str, int, bool | None]] = field(default_factory=dict)  # By id: payment, amount, completed.
    payments: dict[str, tuple[str, int, bool | None]] = field(default_factory=dict)  # Person, discount, completed.
    shares: list[tuple[str, str, int, int, str]] = field(default_factory=list)  # Packet, user, number, amount, state.
    balances: dict[tuple[int, str], int] = field(default_factory=dict)  # By an account's code and owner.

    def given_by(self, campaign: str) -> list[int]:
        """What a campaign had given, net of what had come back, behind each of its awards' rows."""
        return list(accumulate(change for whose, change in self.steps if whose == campaign))


def read_diaries(paths: Iterable[Path]) -> Diaries:
    """What all processes wrote down."""
    found = Diaries()
    for path in paths:
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                _read(found, json.loads(line))
    return found


def _read(found: Diaries, said: dict[str, Any]) -> None:
    kind, id_, who, answer, amount = (said[name] for name in ("kind", "id", "user_id", "answer", "amount"))
    if said["contradicted"]:
        found.wrong.append(f"{kind} {id_} was {answer} {amount}, and then {said['contradicted']}")
        return
    found.answers[f"{kind} {answer}"] += 1
    found.unheard += said["unheard"]
    if answer[:1] == "5":
        found.wrong.append(f"{kind} {id_} was answered {answer}")
    if kind == "packet" and answer == "GOOD":
        if found.shares.setdefault((id_, who), amount) != amount:
            found.wrong.append(f"{who} was told {amount} of a packet, and {found.shares[id_, who]}")
    elif kind in {"coupon", "payment", "refund"} and answer != "GOOD":
        found.refused.add(number(id_))
    elif kind == "coupon":
        found.coupons[number(id_)] = number(who)
    elif kind == "payment":
        found.answers["payment cheaper" if amount else "payment in full"] += 1
        found.payments[number(id_)] = number(who), amount
    elif kind == "refund":
        found.refunds[number(id_)] = number(who)


def check(told: Diaries, rows: Rows, terms: Terms) -> list[str]:
    """Everything that is wrong; nothing, if nothing is."""
    wrong = [*told.wrong, *_coupons(told, rows, terms), *_awards(told, rows, terms), *_refunds(told, rows, terms)]
    return [*wrong, *_packets(told, rows, terms), *_wallets(told, rows, terms)]


def _coupons(told: Diaries, rows: Rows, terms: Terms) -> Iterable[str]:
    ids = [id_ for id_, _, _ in rows.claims]
    if len(ids) > terms.stock:
        yield f"{len(ids)} coupons were claimed of {terms.stock}"
    if sorted(numbered for _, _, numbered in rows.claims) != list(range(1, len(ids) + 1)):
        yield "claims are not numbered each once"
    if len(set(ids)) < len(ids):
        yield "a coupon was claimed twice"
    for person, count in Counter(person for _, person, _ in rows.claims).items():
        if count > terms.per_person:
            yield f"{person} claimed {count} of {terms.per_person}"
    known = {id_: person for id_, person, _ in rows.claims}
    yield from _compared("claim", told.coupons, known)
    if known.keys() != rows.coupons.keys():
        yield "claims and coupons are not the same"
    yield from (f"coupon {id_} was refused, and is there" for id_ in told.refused & known.keys())


def _awards(told: Diaries, rows: Rows, terms: Terms) -> Iterable[str]:
    given: Counter[str] = Counter()
    times: Counter[tuple[str, str]] = Counter()
    of_payment: Counter[str] = Counter()
    spent: dict[str, str] = {}
    for id_, campaign, person, payment, source, amount, returned, state in rows.awards:
        if state == "RELEASED":
            continue
        if state != "COMMITTED":
            yield f"award {id_} is {state} after healing"
        given[campaign] += amount - returned
        times[campaign, person] += 1
        of_payment[payment] += amount
        if source in rows.coupons:
            if source in spent:
                yield f"coupon {source} was spent by {spent[source]} and {id_}"
            spent[source] = id_
    for campaign, budget in terms.budgets.items():
        yield from _budget(rows, campaign, budget, given[campaign])
    for (campaign, person), count in times.items():
        if count > terms.times.get(campaign, count):
            yield f"{person} got {count} awards of {campaign}, and {terms.times[campaign]} is the limit"
    redeemed = {id_: award for id_, (state, award, _) in rows.coupons.items() if state == "REDEEMED"}
    if redeemed != spent or any(state == "RESERVED" for state, _, _ in rows.coupons.values()):
        yield "coupons that are spent and awards that came of coupons are not the same"
    completed = {id_: (person, off) for id_, (person, off, done) in rows.payments.items() if done}
    yield from _compared("payment", told.payments, completed)
    yield from (f"payment {id_} was refused, and was made" for id_ in told.refused & completed.keys())
    yield from (f"payment {id_} has no outcome" for id_, (_, _, done) in rows.payments.items() if done is None)
    if {id_: off for id_, (_, off) in completed.items() if off} != dict(of_payment):
        yield "what payments were cheaper by and what was awarded are not the same"
    if rows.balances.get((2203, ""), 0):
        yield f"{rows.balances[2203, '']} is still on its way from campaigns"


def _budget(rows: Rows, campaign: str, budget: int, given: int) -> Iterable[str]:
    """One budget: in the end, and at each moment of the journal and of the ledger."""
    left, sums = rows.balances.get((2202, campaign), 0), rows.given_by(campaign)
    if given > budget or left < 0:
        yield f"campaign {campaign} gave {given} of {budget}, and has {left}"
    if budget - left != given or (sums or [0])[-1] != given:
        yield f"campaign {campaign} gave {given}, paid {budget - left}, counted {(sums or [0])[-1]}"
    if max(sums, default=0) > budget or min(sums, default=0) < 0:
        yield f"campaign {campaign} had given {max(sums)} and {min(sums)} of {budget} at some moment"
    moved = list(accumulate(amount for whose, amount in rows.moves if whose == campaign))
    if min(moved, default=0) < 0 or max(moved, default=0) > budget or (moved or [0])[-1] != left:
        yield f"campaign {campaign}'s account had {min(moved, default=0)} to {max(moved, default=0)} of {budget} at some moment"


def _refunds(told: Diaries, rows: Rows, terms: Terms) -> Iterable[str]:
    """What was given back: whole, once, and each award's part of it with it."""
    completed = {id_: payment for id_, (payment, _, done) in rows.refunds.items() if done}
    yield from _compared("refund", told.refunds, completed)
    yield from (f"refund {id_} was refused, and was made" for id_ in told.refused & completed.keys())
    yield from (f"refund {id_} has no outcome" for id_, (_, _, done) in rows.refunds.items() if done is None)
    back: Counter[str] = Counter()
    for payment, amount, done in rows.refunds.values():
        back[payment] += amount if done else 0
    for payment, amount in back.items():
        if amount > terms.price:
            yield f"{amount} of {terms.price} came back of payment {payment}"
    for id_, _, _, payment, _, amount, returned, _ in rows.awards:
        if returned != (amount if back[payment] else 0):
            yield f"{returned} of {amount} came back of award {id_}, and of its payment {back[payment]}"


def _packets(told: Diaries, rows: Rows, terms: Terms) -> Iterable[str]:
    by_packet: dict[str, list[tuple[str, int, int, str]]] = defaultdict(list)
    for packet, user, numbered, amount, state in rows.shares:
        by_packet[packet].append((user, numbered, amount, state))
    for packet, total in terms.packets.items():
        shares = by_packet.pop(packet, [])
        if sorted(numbered for _, numbered, _, _ in shares) != list(range(len(shares))):
            yield f"shares of packet {packet} are not each given once"
        here = [user for user, _, _, _ in shares if int(user, 16)]
        if len(set(here)) < len(here):
            yield f"somebody has two shares of packet {packet}"
        if any(state != "PAID" for _, _, _, state in shares):
            yield f"shares of packet {packet}: {Counter(state for _, _, _, state in shares)}"
        out, left = sum(amount for _, _, amount, _ in shares), rows.balances.get((2221, packet), 0)
        if out + left != total or left < 0:
            yield f"packet {packet} of {total} gave {out}, and has {left}"
    if by_packet:
        yield f"nobody knows of packets {sorted(by_packet)}"
    given = sum(amount for _, _, _, amount, _ in rows.shares)
    if given != sum(told.shares.values()) or len(rows.shares) != len(told.shares):
        yield f"{len(rows.shares)} shares of {given} were given, {len(told.shares)} of {sum(told.shares.values())} told"


def _wallets(told: Diaries, rows: Rows, terms: Terms) -> Iterable[str]:
    """Everybody has what they had, less what they paid and did not get back, and what packets brought."""
    expected = Counter({number(person): funds for person, funds in terms.funds.items()})
    given_back = set(told.refunds.values())
    for id_, (person, off) in told.payments.items():
        if id_ not in given_back:
            expected[person] -= terms.price - off
    for (_, person), amount in told.shares.items():
        expected[number(person)] += amount
    for person, amount in expected.items():
        if rows.balances.get((2001, person), 0) != amount:
            yield f"{person} has {rows.balances.get((2001, person), 0)}, and was told of {amount}"


def _compared(what: str, told: Mapping[str, Any], rows: Mapping[str, Any]) -> Iterable[str]:
    for id_ in told.keys() | rows.keys():
        if told.get(id_) != rows.get(id_):
            yield f"{what} {id_}: told {told.get(id_)}, and the rows say {rows.get(id_)}"


# The rows, by SQL of its own. `{s}` is the institution's schema; $1 is the template, or the campaigns.
_CLAIMS = "SELECT id, person_id, number FROM {s}.coupon_claims WHERE template_id = $1"
_COUPONS = """
SELECT DISTINCT ON (id) id, state, award_id, person_id FROM {s}.coupons WHERE template_id = $1 ORDER BY id, position DESC"""
_AWARDS = """
SELECT DISTINCT ON (id) id, campaign_id, person_id, payment_id, source_id, amount, returned,
    CASE WHEN state = 'RESERVED' AND EXISTS (
        SELECT FROM {s}.payment_outcomes AS o WHERE o.id = a.payment_id AND o.completed
    ) THEN 'COMMITTED' ELSE state END AS state
FROM {s}.all_awards AS a
ORDER BY id, position DESC"""
_STEPS = "SELECT campaign_id, change FROM {s}.all_awards ORDER BY position"
_REFUNDS = "SELECT refund_id, payment_id, gross, completed FROM {s}.refunds LEFT JOIN {s}.refund_outcomes USING (id)"
_PAYMENTS = """
SELECT p.id, user_id, payer_discount, completed FROM {s}.payments p LEFT JOIN {s}.payment_outcomes USING (id)
WHERE user_id = ANY ($1)"""
_SHARES = """
SELECT DISTINCT ON (id) packet_id, user_id, number, amount, state FROM {s}.red_packet_claims ORDER BY id, position DESC"""
# Each posted movement of a campaign's account, in order; money in is positive.
_MOVES = """
SELECT a.user_data_128, CASE WHEN a.id = t.credit_account_id THEN t.amount ELSE -t.amount END::bigint FROM {s}.transfer t
JOIN {s}.account a ON a.id IN (t.credit_account_id, t.debit_account_id)
WHERE a.code = 2202 AND t.flags & 10 = 0 ORDER BY t.position"""
# Flags 2 and 8: pending, and void. 2203 is the institution's one account, with no owner.
_BALANCES = """
SELECT a.code, a.user_data_128, sum(moved.amount)::bigint FROM (
    SELECT credit_account_id AS id, sum(amount) AS amount FROM {s}.transfer WHERE flags & 10 = 0 GROUP BY 1
    UNION ALL SELECT debit_account_id, -sum(amount) FROM {s}.transfer WHERE flags & 10 = 0 GROUP BY 1) AS moved
JOIN {s}.account a USING (id) WHERE a.code IN (2001, 2202, 2203, 2221) GROUP BY 1, 2"""


async def read_rows(url: str, schemas: Iterable[str], here: str, terms: Terms) -> Rows:
    """Everything, at one moment. Wallets are in all schemas, what was given is `here`."""
    connection = await asyncpg.connect(url)
    found = Rows()

    async def rows(schema: str, text: str, *given: Any) -> list[Any]:
        return list(await connection.fetch(text.replace("{s}", f'"{schema}"'), *given))

    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            for id_, person, numbered in await rows(here, _CLAIMS, terms.template):
                found.claims.append((id_.hex, person.hex, numbered))
            for id_, state, award, person in await rows(here, _COUPONS, terms.template):
                found.coupons[id_.hex] = state, award.hex, person.hex
            for row in await rows(here, _AWARDS):
                id_, campaign, person, payment, source = (each.hex for each in row[:5])
                found.awards.append((id_, campaign, person, payment, source, row[5], row[6], row[7]))
            found.steps = [(campaign.hex, change) for campaign, change in await rows(here, _STEPS)]
            found.moves = [(campaign.hex, amount) for campaign, amount in await rows(here, _MOVES)]
            people = [number(person) for person in terms.funds]
            for id_, person, off, done in await rows(here, _PAYMENTS, people):
                found.payments[id_.hex] = person.hex, off, done
            for packet, user, *row in await rows(here, _SHARES):
                found.shares.append((packet.hex, user.hex, *row))
            for schema in schemas:
                for id_, payment, *row in await rows(schema, _REFUNDS):
                    found.refunds[id_.hex] = payment.hex, *row
                for code, owner, balance in await rows(schema, _BALANCES):
                    found.balances[code, "" if code == 2203 else owner.hex] = balance
    finally:
        await connection.close()
    return found
