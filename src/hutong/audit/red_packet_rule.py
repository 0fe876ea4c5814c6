"""What must be true of red packets: see `rules`."""

from hutong.audit.rule import Rule

# A packet's account holds what has not reached anybody: code 100 filled it, and it went by 101, by 102 back to the sender,
# or by payments to other institutions, which may come back from there and are the sender's then. Its claims are the first so many of its shares, and nobody has two.
RED_PACKETS = Rule(
    7,
    ("red_packets", "red_packet_claims", "account", "transfer"),
    """
WITH newest AS (
    SELECT DISTINCT ON (id) id, state, amount, count, returned FROM {s}.red_packets ORDER BY id, position DESC
), claims AS (
    SELECT DISTINCT ON (id) id, packet_id, claimant_key, number, amount, returned, state, agent FROM {s}.red_packet_claims
    ORDER BY id, position DESC
), claimed AS (
    SELECT packet_id AS id, count(*) AS shares, count(DISTINCT claimant_key) AS people, count(DISTINCT number) AS numbers,
        max(number) + 1 AS next_number, sum(amount) AS amount,
        coalesce(sum(amount - returned) FILTER (WHERE state = 'PAID'), 0) AS paid,
        coalesce(sum(amount) FILTER (WHERE state = 'PAID' AND agent = ''), 0) AS paid_here,
        coalesce(sum(amount) FILTER (WHERE state = 'SENDING'), 0) AS sending,
        bool_or(returned < 0 OR returned > amount OR returned > 0 AND (state <> 'PAID' OR agent = '')) AS odd
    FROM claims GROUP BY 1
), moved AS (
    SELECT user_data_128 AS id, coalesce(sum(amount) FILTER (WHERE code = 100), 0) AS came,
        coalesce(sum(amount) FILTER (WHERE code = 101), 0) AS claimed,
        coalesce(sum(amount) FILTER (WHERE code = 102), 0) AS returned
    FROM {s}.transfer WHERE code BETWEEN 100 AND 102 GROUP BY 1
), posted AS (
    SELECT credit_account_id AS account_id, amount FROM {s}.transfer WHERE flags & 10 = 0
    UNION ALL
    SELECT debit_account_id, -amount FROM {s}.transfer WHERE flags & 10 = 0
), inside AS (
    SELECT a.user_data_128 AS id, sum(amount) AS amount FROM posted JOIN {s}.account AS a ON a.id = account_id
    WHERE a.code = 2221 GROUP BY 1
)
SELECT id, 'red packet is ' || coalesce(n.state, 'unknown') || ' of ' || coalesce(n.amount, 0) || ': '
    || coalesce(m.came, 0) || ' came, ' || coalesce(m.claimed, 0) || ' was claimed here, ' || coalesce(m.returned, 0)
    || ' went back, ' || coalesce(i.amount, 0) || ' is inside; claims of ' || coalesce(c.amount, 0) || ', paid '
    || coalesce(c.paid, 0)
FROM newest AS n FULL JOIN moved AS m USING (id) FULL JOIN claimed AS c USING (id) FULL JOIN inside AS i USING (id)
WHERE coalesce(m.came, 0) <> CASE WHEN n.state IN ('OPEN', 'EMPTY', 'EXPIRED') THEN n.amount ELSE 0 END
    OR coalesce(m.claimed, 0) <> coalesce(c.paid_here, 0)
    OR coalesce(m.returned, 0) <> CASE WHEN n.state = 'FAILED' THEN 0 ELSE coalesce(n.returned, 0) END
    OR coalesce(i.amount, 0) <> CASE WHEN n.state IN ('OPEN', 'EMPTY', 'EXPIRED')
        THEN n.amount - n.returned - coalesce(c.paid, 0) ELSE 0 END
    OR (n.state IN ('EMPTY', 'EXPIRED') AND coalesce(i.amount, 0) <> coalesce(c.sending, 0))
    OR (n.state = 'EMPTY') <> (n.state IN ('OPEN', 'EMPTY', 'EXPIRED') AND coalesce(c.shares, 0) = n.count)
    OR (c.shares, c.shares, c.shares) <> (c.people, c.numbers, c.next_number)
    OR coalesce(c.amount, 0) > coalesce(n.amount, 0) OR c.odd""",
)
