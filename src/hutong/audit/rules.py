"""
What one node's rows must say, as SQL that finds what breaks it: a rule is a row of this table.

Each statement returns the id of what is wrong and the words for it. Enumerations and codes are written as they stand in
the tables; `docs/chart-of-accounts.md` says what they mean.
"""

from hutong.audit.finding import Report, UnderWay
from hutong.audit.invitation_rule import INVITATIONS
from hutong.audit.marketing_rules import MARKETING_RULES
from hutong.audit.red_packet_rule import RED_PACKETS
from hutong.audit.rule import Rule
from hutong.audit.snapshot import NodeRows


def _once(table: str, key: str, invariant: int = 3) -> Rule:
    """Append-only facts that exist once: an id that came twice is found even where an index was lost."""
    return Rule(
        invariant,
        (table,),
        f"SELECT {key}, '{table}: there ' || count(*) || ' times' FROM {{s}}.{table} GROUP BY {key} HAVING count(*) > 1",
    )


_ONCE = (
    _once("account", "id"),
    _once("transfer", "id"),
    _once("burned_id", "id"),
    _once("expiry", "pending_id"),
    _once("cleared_payment", "id"),
    _once("decision", "id"),
    _once("payments", "id"),
    _once("payment_outcomes", "id"),
    _once("receipts", "id"),
    _once("receipt_outcomes", "id"),
    _once("refunds", "id"),
    _once("refund_outcomes", "id"),
    _once("returns", "id"),
    _once("return_outcomes", "id"),
    _once("events", "id"),
)

_SPENT_ID_USED = Rule(
    3,
    ("burned_id", "transfer"),
    "SELECT id, 'a transfer under an id that was refused' FROM {s}.burned_id JOIN {s}.transfer USING (id)",
)
_RESOLVED_TWICE = Rule(
    3,
    ("transfer",),
    """
SELECT pending_id, 'pending transfer was resolved ' || count(*) || ' times' FROM {s}.transfer
WHERE flags & 12 <> 0 GROUP BY pending_id HAVING count(*) > 1""",
)


def _outcome_of_nothing(intents: str, outcomes: str) -> Rule:
    """An offer that is refused at once leaves a rejection alone."""
    return Rule(
        3,
        (intents, outcomes),
        f"SELECT o.id, '{outcomes}: an outcome of what was never admitted' FROM {{s}}.{outcomes} AS o"
        f" WHERE o.completed AND NOT EXISTS (SELECT FROM {{s}}.{intents} AS i WHERE i.id = o.id)",
    )


def _held_though_decided(outcomes: str) -> Rule:
    """A decision posts or voids what was held in the same commit."""
    return Rule(
        5,
        ("transfer", outcomes),
        f"""
SELECT t.user_data_128, '{outcomes}: decided, and transfer ' || t.id || ' is still pending'
FROM {{s}}.transfer AS t JOIN {{s}}.{outcomes} AS o ON o.id = t.user_data_128
WHERE t.flags & 2 <> 0
    AND NOT EXISTS (SELECT FROM {{s}}.transfer AS r WHERE r.pending_id = t.id AND r.flags & 12 <> 0)
    AND NOT EXISTS (SELECT FROM {{s}}.expiry AS e WHERE e.pending_id = t.id)""",
    )


# The first leg of a movement, whose id ends in six zero bits, moves what the payer himself pays.
_ON_US = Rule(
    3,
    ("payments", "payment_outcomes", "transfer"),
    """
SELECT p.id, 'payment on us: completed is ' || coalesce(o.completed::text, 'open') || ', of '
    || p.gross - p.payer_discount - p.payee_discount || ' moved ' || coalesce(m.moved::text, 'nothing')
FROM {s}.payments AS p
LEFT JOIN {s}.payment_outcomes AS o USING (id)
LEFT JOIN (
    SELECT user_data_128 AS id, sum(amount) AS moved FROM {s}.transfer
    WHERE code = 12 AND flags & 10 = 0 AND get_byte(uuid_send(id), 15) & 63 = 0 GROUP BY 1
) AS m USING (id)
WHERE p.payee_account <> '00000000-0000-0000-0000-000000000000'
    AND m.moved IS DISTINCT FROM
        CASE WHEN o.completed THEN (p.gross - p.payer_discount - p.payee_discount)::numeric END""",
)
# A payment is reserved for what is under way, too: only a rejected refund gives back its part.
_REFUNDS = Rule(
    6,
    ("refunds", "refund_outcomes", "payments", "receipts"),
    """
SELECT payment_id, 'refunds of ' || f.gross || ' exceed a payment of ' || coalesce(p.gross::text, 'nothing')
    || ', or a part of it'
FROM (
    SELECT payment_id, sum(gross) AS gross, sum(payer_discount) AS payer_discount,
        sum(payee_discount) AS payee_discount, sum(fee) AS fee, sum(interchange) AS interchange,
        sum(switch_fee) AS switch_fee
    FROM {s}.refunds LEFT JOIN {s}.refund_outcomes USING (id) WHERE completed IS DISTINCT FROM false GROUP BY payment_id
) AS f
LEFT JOIN (
    SELECT id, gross, payer_discount, payee_discount, fee, interchange, switch_fee FROM {s}.payments
    WHERE payee_account <> '00000000-0000-0000-0000-000000000000'
    UNION ALL
    SELECT id, gross, 0, payee_discount, fee, interchange, switch_fee FROM {s}.receipts
) AS p ON p.id = f.payment_id
WHERE p.id IS NULL OR f.gross > p.gross OR f.payer_discount > p.payer_discount OR f.payee_discount > p.payee_discount
    OR f.fee > p.fee OR f.interchange > p.interchange OR f.switch_fee > p.switch_fee
    OR (f.gross = p.gross AND (f.payer_discount, f.payee_discount, f.fee, f.interchange, f.switch_fee)
        <> (p.payer_discount, p.payee_discount, p.fee, p.interchange, p.switch_fee))""",
)
_RETURNS = Rule(
    6,
    ("returns", "return_outcomes", "payments"),
    """
SELECT payment_id, 'returns of ' || f.gross || ' exceed a payment of ' || coalesce(p.gross::text, 'nothing')
FROM (
    SELECT payment_id, sum(gross) AS gross, sum(payer_discount) AS payer_discount
    FROM {s}.returns LEFT JOIN {s}.return_outcomes USING (id) WHERE completed IS DISTINCT FROM false GROUP BY payment_id
) AS f LEFT JOIN {s}.payments AS p ON p.id = f.payment_id
WHERE p.id IS NULL OR f.gross > p.gross OR f.payer_discount > p.payer_discount""",
)
_REQUESTS = Rule(
    3,
    ("payment_requests", "receipts", "receipt_outcomes", "payments", "payment_outcomes"),
    """
WITH tries AS (
    SELECT request_id AS id, completed FROM {s}.receipts LEFT JOIN {s}.receipt_outcomes USING (id) WHERE NOT is_static
    UNION ALL
    SELECT request_id, completed FROM {s}.payments LEFT JOIN {s}.payment_outcomes USING (id)
    WHERE NOT is_static AND payee_account <> '00000000-0000-0000-0000-000000000000'
), summed AS (
    SELECT id, count(*) FILTER (WHERE completed) AS paid, count(*) FILTER (WHERE completed IS NULL) AS open
    FROM tries GROUP BY id
), newest AS (
    SELECT DISTINCT ON (id) id, state FROM {s}.payment_requests ORDER BY id, position DESC
)
SELECT id, 'request is ' || state || ', paid ' || coalesce(paid, 0) || ' times, with '
    || coalesce(open, 0) || ' under way'
FROM newest LEFT JOIN summed USING (id)
WHERE coalesce(paid, 0) > 1 OR (state = 'PAID') <> (coalesce(paid, 0) > 0)
    OR (state = 'CLAIMED' AND coalesce(open, 0) = 0)""",
)
_REQUEST_TWICE = Rule(
    3,
    ("payment_requests",),
    """
SELECT reference_key, count(DISTINCT id) || ' requests of one merchant under one reference'
FROM {s}.payment_requests WHERE reference_key IS NOT NULL GROUP BY reference_key HAVING count(DISTINCT id) > 1""",
)
_REFUND_TWICE = Rule(
    3,
    ("refunds",),
    """
SELECT refund_id, count(*) || ' refunds of one merchant under one id'
FROM {s}.refunds GROUP BY merchant_id, refund_id HAVING count(*) > 1""",
)
# What a row says was used of a day's and a year's limits, itself included, is what was paid by then in that day and year
# less what was rejected by then. A rejection gives back in its own row of `spending`, the last one of that id, to the day
# and year of its payment. Days begin in the zone that limits are kept in.
_USED = Rule(
    7,
    ("payments", "payment_outcomes", "spending", "red_packets"),
    """
WITH moved AS (
    SELECT position, id, user_id, created_ns AS at_ns, gross - payer_discount - payee_discount AS paid, counter, counted,
        spent_year, spent_static, spent_unverified, spent_verified
    FROM {s}.payments
    UNION ALL
    SELECT position, id, user_id, counted_ns, 0, 0, false, spent_year, spent_static, spent_unverified, spent_verified
    FROM {s}.spending
    UNION ALL
    SELECT coalesce(given.position, o.position), id, user_id, created_ns, payer_discount + payee_discount - gross, counter,
        counted, NULL, NULL, NULL, NULL
    FROM {s}.payment_outcomes AS o JOIN {s}.payments USING (id)
    LEFT JOIN (SELECT id, max(position) AS position FROM {s}.spending GROUP BY id) AS given USING (id)
    WHERE NOT completed
    UNION ALL
    -- A red packet counts when it is written down, and each version of it says how much went back by then.
    SELECT position, id, sender_id, created_ns,
        coalesce(lag(returned) OVER of_packet, 0) - returned
            + CASE WHEN row_number() OVER of_packet = 1 THEN amount ELSE 0 END,
        counter, counted, NULL, NULL, NULL, NULL
    FROM {s}.red_packets WINDOW of_packet AS (PARTITION BY id ORDER BY position)
), dated AS (
    SELECT *, (to_timestamp(at_ns / 1000000000) AT TIME ZONE 'Asia/Shanghai')::date AS day FROM moved
), summed AS (
    SELECT id, day, ARRAY[spent_year, spent_static, spent_unverified, spent_verified]::numeric[] AS said,
        ARRAY[
            coalesce(sum(paid) FILTER (WHERE counted) OVER of_year, 0),
            coalesce(sum(paid) FILTER (WHERE counter = 1) OVER of_day, 0),
            coalesce(sum(paid) FILTER (WHERE counter = 2) OVER of_day, 0),
            coalesce(sum(paid) FILTER (WHERE counter = 3) OVER of_day, 0)
        ]::numeric[] AS used
    FROM dated
    WINDOW of_year AS (PARTITION BY user_id, extract(year FROM day) ORDER BY position),
        of_day AS (PARTITION BY user_id, day ORDER BY position)
)
SELECT id, 'used in the year, and on ' || day || ' by static code, unverified, verified: payments come to '
    || used::text || ', the row says ' || said::text
FROM summed WHERE said[1] IS NOT NULL AND said <> used""",
)
# In the commit that made it news. Counted per owner: at least as many are told as happened.
_EVENTS = Rule(
    4,
    ("events", "receipts", "receipt_outcomes", "payments", "payment_outcomes", "refunds", "refund_outcomes"),
    """
WITH news AS (
    SELECT CASE WHEN merchant_id = '00000000-0000-0000-0000-000000000000' THEN user_id ELSE merchant_id END AS owner_id,
        CASE WHEN merchant_id = '00000000-0000-0000-0000-000000000000' THEN 'payment.received'
            ELSE 'payment.completed' END AS type
    FROM {s}.receipts JOIN {s}.receipt_outcomes USING (id) WHERE completed
    UNION ALL
    SELECT merchant_id, 'payment.completed' FROM {s}.payments JOIN {s}.payment_outcomes USING (id)
    WHERE completed AND payee_account <> '00000000-0000-0000-0000-000000000000'
        AND merchant_id <> '00000000-0000-0000-0000-000000000000'
    UNION ALL
    SELECT merchant_id, CASE WHEN completed THEN 'refund.completed' ELSE 'refund.rejected' END
    FROM {s}.refunds JOIN {s}.refund_outcomes USING (id)
    WHERE dispute_id = '00000000-0000-0000-0000-000000000000' -- A recall's return is told as the dispute's end.
), happened AS (
    SELECT owner_id, type, count(*) AS times FROM news GROUP BY 1, 2
), told AS (
    SELECT owner_id, type, count(*) AS times FROM {s}.events GROUP BY 1, 2
)
SELECT owner_id, happened.type || ' happened ' || happened.times || ' times, and was told ' || coalesce(told.times, 0)
FROM happened LEFT JOIN told USING (owner_id, type) WHERE coalesce(told.times, 0) < happened.times""",
)

# What is frozen of an order moves by codes 70, 71 and 72, and each change is written down with it.
_FROZEN = Rule(
    7,
    ("split_holds", "account", "transfer"),
    """
WITH newest AS (
    SELECT DISTINCT ON (id) id, remaining FROM {s}.split_holds ORDER BY id, position DESC
), moved AS (
    SELECT credit_account_id AS account_id, amount FROM {s}.transfer WHERE code IN (70, 71, 72) AND flags & 10 = 0
    UNION ALL
    SELECT debit_account_id, -amount FROM {s}.transfer WHERE code IN (70, 71, 72) AND flags & 10 = 0
), summed AS (
    SELECT a.user_data_128 AS id, sum(amount) AS frozen FROM moved JOIN {s}.account AS a ON a.id = account_id
    WHERE a.code = 2111 GROUP BY 1
)
SELECT id, 'order: ' || coalesce(remaining::text, 'nothing') || ' is said to be frozen, and '
    || coalesce(frozen, 0) || ' is'
FROM newest FULL JOIN summed USING (id) WHERE coalesce(remaining, 0) <> coalesce(frozen, 0)""",
)
# What people let merchants hold came by code 80 and went by 81: let go, or paid.
_HELD = Rule(
    7,
    ("gateway_preauths", "gateway_preauth_operations", "payments", "payment_outcomes", "transfer", "holds"),
    """
WITH newest AS (
    SELECT id, state, amount FROM (
        SELECT DISTINCT ON (id) id, state, amount, debtor_agent FROM {s}.gateway_preauths ORDER BY id, position DESC
    ) AS versions WHERE debtor_agent = ''
), moved AS (
    SELECT user_data_128 AS id, coalesce(sum(amount) FILTER (WHERE code = 80), 0) AS came,
        coalesce(sum(amount) FILTER (WHERE code = 81), 0) AS went
    FROM {s}.transfer WHERE code IN (80, 81) AND user_data_128 NOT IN (SELECT id FROM {s}.holds) GROUP BY 1
), operations AS (
    SELECT DISTINCT ON (id) preauth_id, amount, state FROM {s}.gateway_preauth_operations ORDER BY id, position DESC
), let_go AS (
    SELECT preauth_id AS id, sum(amount) AS amount FROM operations WHERE state = 'DONE' GROUP BY 1
), taken AS (
    SELECT substr(funding, 6)::uuid AS id, sum(gross - payer_discount - payee_discount) AS amount
    FROM {s}.payments JOIN {s}.payment_outcomes USING (id) WHERE completed AND funding LIKE 'held:%' GROUP BY 1
)
SELECT id, 'authorisation is ' || coalesce(state, 'unknown') || ' of ' || coalesce(newest.amount::text, 'nothing')
    || ': ' || coalesce(came, 0) || ' came, and ' || coalesce(went, 0) || ' went'
FROM newest FULL JOIN moved USING (id) LEFT JOIN let_go USING (id) LEFT JOIN taken USING (id)
WHERE coalesce(came, 0) <> CASE WHEN state IN ('HELD', 'ENDED') THEN newest.amount ELSE 0 END
    OR coalesce(went, 0) <> coalesce(let_go.amount, 0) + coalesce(taken.amount, 0)
    OR (state = 'ENDED' AND came <> went)""",
)
# What people let merchants elsewhere hold: it came once, what a payment takes passes by code 81 and, if that is refused, back by 80;
# what is left is in the hold's account, but for payments that are not decided.
_HOLDS = Rule(
    7,
    ("holds", "hold_releases", "payments", "payment_outcomes", "transfer"),
    """
WITH newest AS (
    SELECT DISTINCT ON (id) id, state, amount, taken, released FROM {s}.holds ORDER BY id, position DESC
), moved AS (
    SELECT user_data_128 AS id, coalesce(sum(amount) FILTER (WHERE code = 80), 0) AS came,
        coalesce(sum(amount) FILTER (WHERE code = 81), 0) AS went
    FROM {s}.transfer WHERE code IN (80, 81) AND user_data_128 IN (SELECT id FROM newest) GROUP BY 1
), let_go AS (
    SELECT hold AS id, sum(amount) AS amount FROM (
        SELECT DISTINCT ON (id) hold, amount, state FROM {s}.hold_releases ORDER BY id, position DESC
    ) AS releases WHERE state = 'DONE' GROUP BY 1
), paid AS (
    SELECT substr(funding, 6)::uuid AS id,
        coalesce(sum(gross - payer_discount - payee_discount) FILTER (WHERE completed), 0) AS amount,
        coalesce(sum(gross - payer_discount - payee_discount) FILTER (WHERE completed IS NULL), 0) AS under_way
    FROM {s}.payments LEFT JOIN {s}.payment_outcomes USING (id) WHERE funding LIKE 'hold:%' GROUP BY 1
)
SELECT id, 'hold is ' || state || ' of ' || newest.amount || ', ' || taken || ' taken and ' || released || ' released: '
    || coalesce(came, 0) || ' came, ' || coalesce(went, 0) || ' went, and ' || coalesce(paid.amount, 0) || ' was paid'
FROM newest LEFT JOIN moved USING (id) LEFT JOIN let_go USING (id) LEFT JOIN paid USING (id)
WHERE taken <> coalesce(paid.amount, 0)
    OR released <> coalesce(let_go.amount, 0)
    OR coalesce(came, 0) - coalesce(went, 0) <> CASE WHEN state IN ('HELD', 'ENDING', 'ENDED')
        THEN newest.amount - taken - released - coalesce(paid.under_way, 0) ELSE 0 END
    OR (state = 'ENDED' AND newest.amount <> taken + released)""",
)
# The newest version of a split says what receivers got of it: code 72, and nothing else moves it.
_SPLITS = Rule(
    3,
    ("splits", "transfer"),
    """
WITH newest AS (
    SELECT DISTINCT ON (id) id, state, total FROM {s}.splits ORDER BY id, position DESC
), moved AS (
    SELECT user_data_128 AS id, sum(amount) AS moved FROM {s}.transfer WHERE code = 72 GROUP BY 1
)
SELECT id, 'split is ' || coalesce(state, 'unknown') || ' of ' || coalesce(total::text, 'nothing') || ', and moved '
    || coalesce(moved, 0)
FROM newest FULL JOIN moved USING (id)
WHERE coalesce(moved, 0) <> CASE WHEN state = 'FINISHED' THEN total ELSE 0 END""",
)
# Nothing comes back of a split that did not go out by it, nor twice.
_SPLIT_RETURNS = Rule(
    6,
    ("split_returns", "splits", "transfer"),
    """
WITH newest AS (
    SELECT DISTINCT ON (id) id, split_id, state, amount FROM {s}.split_returns ORDER BY id, position DESC
), moved AS (
    SELECT user_data_128 AS id, sum(amount) AS moved FROM {s}.transfer WHERE code = 73 GROUP BY 1
), given AS (
    SELECT DISTINCT ON (id) id AS split_id, total FROM {s}.splits ORDER BY id, position DESC
), back AS (
    SELECT split_id, sum(amount) AS amount FROM newest WHERE state <> 'FAILED' GROUP BY 1
)
SELECT id, 'return of a split is ' || coalesce(state, 'unknown') || ', and moved ' || coalesce(moved, 0)
FROM newest FULL JOIN moved USING (id)
WHERE coalesce(moved, 0) <> CASE WHEN state = 'SUCCESS' THEN amount ELSE 0 END
UNION ALL
SELECT split_id, 'of ' || coalesce(total, 0) || ' that was split, ' || back.amount || ' came back'
FROM back LEFT JOIN given USING (split_id) WHERE back.amount > coalesce(total, 0)""",
)

# A merchant's transfer to a person moved what its newest version says, or holds it, or neither: code 76, and nothing else.
_SENT = Rule(
    3,
    ("person_transfers", "transfer"),
    """
WITH newest AS (
    SELECT DISTINCT ON (id) id, state, amount FROM {s}.person_transfers ORDER BY id, position DESC
), moved AS (
    SELECT t.user_data_128 AS id, coalesce(sum(t.amount) FILTER (WHERE t.flags & 10 = 0), 0) AS moved,
        coalesce(sum(t.amount) FILTER (WHERE t.flags & 2 <> 0 AND r.id IS NULL), 0) AS held
    FROM {s}.transfer AS t LEFT JOIN {s}.transfer AS r ON r.pending_id = t.id AND r.flags & 12 <> 0
    WHERE t.code = 76 GROUP BY 1
)
SELECT id, 'transfer to a person is ' || coalesce(state, 'unknown') || ' of ' || coalesce(amount::text, 'nothing')
    || ', moved ' || coalesce(moved, 0) || ' and holds ' || coalesce(held, 0)
FROM newest FULL JOIN moved USING (id)
WHERE coalesce(moved, 0) <> CASE WHEN state = 'SUCCESS' THEN amount ELSE 0 END
    OR coalesce(held, 0) <> CASE WHEN state = 'WAITING' THEN amount ELSE 0 END""",
)
# A combined payment is handed on whole: each part's merchant, unless it took the payment itself, gets the part less its fee.
_HANDED_ON = Rule(
    3,
    ("combined_orders", "combined_parts", "transfer"),
    """
WITH orders AS (
    SELECT DISTINCT ON (id) id, merchant_id, state FROM {s}.combined_orders ORDER BY id, position DESC
), parts AS (
    SELECT DISTINCT ON (id) id, combined_id, merchant_id, amount - fee AS net, refunded, taken, amount
    FROM {s}.combined_parts ORDER BY id, position DESC
), whole AS (
    SELECT p.*, o.state, o.merchant_id AS taker FROM parts AS p LEFT JOIN orders AS o ON o.id = p.combined_id
), moved AS (
    SELECT user_data_128 AS id, sum(amount) AS moved FROM {s}.transfer WHERE code = 74 GROUP BY 1
)
SELECT id, 'part of ' || coalesce(net::text, 'nothing') || ' of an order that is ' || coalesce(state, 'unknown')
    || ': handed on ' || coalesce(moved, 0)
FROM whole FULL JOIN moved USING (id)
WHERE coalesce(moved, 0) <> CASE WHEN state = 'HANDED_ON' AND taker <> merchant_id THEN net ELSE 0 END
UNION ALL
SELECT id, 'part of ' || net || ': its merchant gave ' || taken || ' back, for refunds of ' || refunded
FROM parts WHERE taken > net OR refunded > amount""",
)
# What a part's merchant gave for a refund came, or came and went back; and the part counts it as long as it did not.
_PART_TAKINGS = Rule(
    6,
    ("combined_takings", "combined_parts", "combined_orders", "transfer"),
    """
WITH newest AS (
    SELECT DISTINCT ON (id) id, part_id, gross, amount, state FROM {s}.combined_takings ORDER BY id, position DESC
), parts AS (
    SELECT DISTINCT ON (p.id) p.id, p.merchant_id <> o.merchant_id AS moves, p.refunded, p.taken
    FROM {s}.combined_parts AS p JOIN {s}.combined_orders AS o ON o.id = p.combined_id ORDER BY p.id, p.position DESC
), moved AS (
    SELECT user_data_128 AS id, sum(amount) AS moved FROM {s}.transfer WHERE code = 75 GROUP BY 1
), counted AS (
    SELECT part_id AS id, sum(gross) AS refunded, sum(amount) AS taken FROM newest
    WHERE state NOT IN ('SHORT', 'PUT_BACK') GROUP BY 1
)
SELECT n.id, 'what was given for a refund is ' || state || ' of ' || amount || ', and moved ' || coalesce(moved, 0)
FROM newest AS n JOIN parts AS p ON p.id = n.part_id LEFT JOIN moved AS m ON m.id = n.id
WHERE moves AND coalesce(moved, 0) <> CASE state WHEN 'TAKEN' THEN amount WHEN 'PUTTING_BACK' THEN amount
    WHEN 'PUT_BACK' THEN 2 * amount ELSE 0 END
UNION ALL
SELECT p.id, 'part: refunds of ' || p.refunded || ' are told, which cost ' || p.taken || '; they come to '
    || coalesce(c.refunded, 0) || ' and ' || coalesce(c.taken, 0)
FROM parts AS p LEFT JOIN counted AS c USING (id)
WHERE (p.refunded, p.taken) <> (coalesce(c.refunded, 0), coalesce(c.taken, 0))""",
)
# Nobody sends twice under one number.
_SENT_TWICE = Rule(
    3,
    ("person_transfers",),
    """
SELECT number_key, count(DISTINCT id) || ' transfers to people under one number'
FROM {s}.person_transfers GROUP BY number_key HAVING count(DISTINCT id) > 1""",
)
_SPLIT_TWICE = Rule(
    3,
    ("splits",),
    """
SELECT number_key, count(DISTINCT id) || ' splits of one merchant under one number'
FROM {s}.splits GROUP BY number_key HAVING count(DISTINCT id) > 1""",
)

RULES = (
    *_ONCE,
    _SPENT_ID_USED,
    _RESOLVED_TWICE,
    _outcome_of_nothing("payments", "payment_outcomes"),
    _outcome_of_nothing("receipts", "receipt_outcomes"),
    _outcome_of_nothing("refunds", "refund_outcomes"),
    _outcome_of_nothing("returns", "return_outcomes"),
    _held_though_decided("payment_outcomes"),
    _held_though_decided("receipt_outcomes"),
    _held_though_decided("refund_outcomes"),
    _held_though_decided("return_outcomes"),
    _held_though_decided("decision"),
    _ON_US,
    _REFUNDS,
    _RETURNS,
    _REQUESTS,
    _REQUEST_TWICE,
    _REFUND_TWICE,
    _USED,
    _EVENTS,
    _FROZEN,
    _HELD,
    _HOLDS,
    RED_PACKETS,
    _SPLITS,
    _SPLIT_RETURNS,
    _SPLIT_TWICE,
    _SENT,
    _SENT_TWICE,
    _HANDED_ON,
    _PART_TAKINGS,
    *MARKETING_RULES,
    INVITATIONS,
)


# What is decided here alone is decided in the commit that admits it, but for a ledger that had to look something up.
_OPEN_ON_US = """
SELECT id, 'payment', created_ns FROM {s}.payments LEFT JOIN {s}.payment_outcomes AS o USING (id)
WHERE payee_account <> '00000000-0000-0000-0000-000000000000' AND o.id IS NULL
UNION ALL
SELECT id, 'refund', created_ns FROM {s}.refunds LEFT JOIN {s}.refund_outcomes AS o USING (id) WHERE on_us AND o.id IS NULL"""


async def check_rules(node: NodeRows, report: Report, overdue_ns: int) -> None:
    """Report whatever breaks a rule whose tables the node has, and what is under way on us."""
    if "payments" in node.tables:
        async for id_, what, since_ns in node.rows(_OPEN_ON_US):
            report.begun(UnderWay(node.name, what, _hex(id_), since_ns), node.taken_ns, overdue_ns)
    for rule in RULES:
        if node.tables.issuperset(rule.tables):
            async for id_, text in node.rows(rule.finds):
                report.find(node.name, rule.invariant, f"{_hex(id_)}: {text}")


def _hex(id_: object) -> str:
    """A 128-bit id as messages write it."""
    return str(id_).replace("-", "")
