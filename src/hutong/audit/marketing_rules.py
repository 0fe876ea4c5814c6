"""
What campaigns' rows must say: no budget at any level was ever a fen over, every award is in the ledger, and each can be
followed from its budget to its payment and back.
"""

from hutong.audit.rule import Rule

# At every moment, in the order in which it was written down: what each version of an award changed.
_BUDGETS = Rule(
    7,
    ("awards", "campaigns"),
    """
WITH funded AS (
    SELECT id, max(funded) AS funded FROM {s}.campaigns GROUP BY id
), given AS (
    SELECT campaign_id, sum(change) OVER (PARTITION BY campaign_id ORDER BY position) AS total FROM {s}.all_awards
), most AS (
    SELECT campaign_id, max(total) AS most, min(total) AS least FROM given GROUP BY 1
)
SELECT campaign_id, 'campaign was given ' || coalesce(funded, 0) || ', and gave up to ' || most
FROM most LEFT JOIN funded ON id = campaign_id WHERE most > coalesce(funded, 0) OR least < 0""",
)
# The budgets inside it: each version of the terms may have another, so the greatest counts; 0 bounds nothing.
_CAPS = Rule(
    7,
    ("awards", "campaigns"),
    """
WITH terms AS (
    SELECT id, convert_from(terms, 'UTF8')::jsonb -> 'caps' AS caps FROM {s}.campaigns
), cap AS (
    SELECT id AS campaign_id, key AS level, max(value::numeric) AS most
    FROM terms, jsonb_each_text(caps) WHERE key <> 'place_is' GROUP BY 1, 2 HAVING min(value::numeric) > 0
), change AS (
    SELECT position, campaign_id, change, 'day' AS level, day::text AS what FROM {s}.all_awards
    UNION ALL
    SELECT position, campaign_id, change, 'place', day || ' ' || place FROM {s}.all_awards WHERE place <> ''
    UNION ALL
    SELECT position, campaign_id, change, 'person', person_id::text FROM {s}.all_awards
    UNION ALL
    SELECT position, campaign_id, change, 'person_day', day || ' ' || person_id FROM {s}.all_awards
    UNION ALL
    SELECT position, campaign_id, times, 'times', person_id::text FROM {s}.all_awards
    UNION ALL
    SELECT position, campaign_id, times, 'times_day', day || ' ' || person_id FROM {s}.all_awards
), total AS (
    SELECT campaign_id, level, what, sum(change) OVER (PARTITION BY campaign_id, level, what ORDER BY position) AS total
    FROM change JOIN cap USING (campaign_id, level)
)
SELECT campaign_id, 'campaign may give ' || most || ' by ' || level || ', and gave ' || max(total) || ' on ' || what
FROM total JOIN cap USING (campaign_id, level) WHERE total > most GROUP BY campaign_id, level, most, what""",
)
# What an account has and nobody holds, as the ledger says it: posted, less what is pending.
_FREE = """
resolved AS (
    SELECT pending_id FROM {s}.transfer WHERE flags & 12 <> 0
), moved AS (
    SELECT credit_account_id AS account_id, amount FROM {s}.transfer WHERE flags & 10 = 0
    UNION ALL
    SELECT debit_account_id, -amount FROM {s}.transfer WHERE flags & 10 = 0
    UNION ALL
    SELECT debit_account_id, -amount FROM {s}.transfer WHERE flags & 2 <> 0 AND id NOT IN (SELECT pending_id FROM resolved)
), free AS (
    SELECT a.code, a.user_data_128 AS id, sum(amount) AS free FROM {s}.account AS a JOIN moved ON account_id = a.id
    WHERE a.code IN (2202, 2203) GROUP BY 1, 2
)"""
_IN_LEDGER = Rule(
    7,
    ("awards", "campaigns", "transfer", "account"),
    "WITH "
    + _FREE
    + """, newest AS (
    SELECT DISTINCT ON (id) id, funded, given_back FROM {s}.campaigns ORDER BY id, position DESC
), given AS (
    SELECT campaign_id, sum(change) AS given FROM {s}.all_awards GROUP BY 1
), waiting AS (
    SELECT DISTINCT ON (id) id, kind, state, amount FROM {s}.all_awards ORDER BY id, position DESC
)
SELECT newest.id, 'campaign has ' || coalesce(free, 0) || ' of ' || funded || ', gave ' || coalesce(given, 0)
    || ' and gave back ' || given_back
FROM newest LEFT JOIN free ON free.id = newest.id AND code = 2202 LEFT JOIN given ON campaign_id = newest.id
WHERE coalesce(free, 0) <> funded - given_back - coalesce(given, 0)
UNION ALL
SELECT '00000000-0000-0000-0000-000000000000', 'awarded and on its way: ' || coalesce(free, 0) || ', and rewards that wait: '
    || rewards
FROM (SELECT coalesce(sum(amount), 0) AS rewards FROM waiting WHERE kind = 'REWARD' AND state = 'RESERVED') AS w
LEFT JOIN free ON code = 2203 WHERE coalesce(free, 0) <> rewards""",
)
# The payer's discount of each payment is what its awards say, as long as nothing was given back of it, and after that.
_TRACED = Rule(
    3,
    ("awards", "payments", "payment_outcomes", "refunds", "refund_outcomes", "returns", "return_outcomes", "campaigns"),
    """
WITH newest AS (
    SELECT DISTINCT ON (id) id, campaign_id, payment_id, amount, returned,
        CASE WHEN state = 'RESERVED' AND EXISTS (
            SELECT FROM {s}.payment_outcomes AS o WHERE o.id = a.payment_id AND o.completed
        ) THEN 'COMMITTED' ELSE state END AS state  -- As it stands: the payment's outcome is all that says it.
    FROM {s}.all_awards AS a WHERE kind = 'DISCOUNT' ORDER BY id, position DESC
), ours AS (
    SELECT payment_id, sum(amount) AS amount, sum(returned) AS returned, min(state) AS state, max(state) AS states
    FROM newest WHERE campaign_id IN (SELECT id FROM {s}.campaigns WHERE side = 'PAYER') GROUP BY 1
), back AS (
    SELECT payment_id, sum(payer_discount) AS back FROM (
        SELECT payment_id, payer_discount FROM {s}.refunds JOIN {s}.refund_outcomes USING (id) WHERE completed
        UNION ALL
        SELECT payment_id, payer_discount FROM {s}.returns JOIN {s}.return_outcomes USING (id) WHERE completed
    ) AS given_back GROUP BY 1
), paid AS (
    SELECT p.id AS payment_id, payer_discount,
        CASE WHEN o.completed THEN 'COMMITTED' WHEN NOT o.completed THEN 'RELEASED' ELSE 'RESERVED' END AS state
    FROM {s}.payments AS p LEFT JOIN {s}.payment_outcomes AS o USING (id) WHERE adjuster = 'campaigns'
)
SELECT payment_id, 'payment is ' || coalesce(paid.state, 'unknown') || ' with a discount of '
    || coalesce(payer_discount::text, 'nothing') || ' less ' || coalesce(back, 0) || '; its awards are '
    || coalesce(ours.state, 'none') || ': ' || coalesce(amount, 0) || ' less ' || coalesce(returned, 0)
FROM paid FULL JOIN ours USING (payment_id) LEFT JOIN back USING (payment_id)
WHERE payer_discount IS DISTINCT FROM amount OR paid.state IS DISTINCT FROM ours.state OR ours.state <> ours.states
    OR coalesce(back, 0) <> coalesce(returned, 0)""",
)
# The same of what the payee's side gave: its awards say by `source_id` which payment they are for. (Older ones do not: they are
# held against those payments that no award names, all together.)
_SPONSORED = Rule(
    3,
    (
        "awards",
        "payments",
        "payment_outcomes",
        "receipts",
        "receipt_outcomes",
        "refunds",
        "refund_outcomes",
        "campaigns",
    ),
    """
WITH newest AS (
    SELECT DISTINCT ON (id) payment_id AS name, source_id AS payment_id, amount, returned, state FROM {s}.awards
    WHERE campaign_id IN (SELECT id FROM {s}.campaigns WHERE side = 'PAYEE') ORDER BY id, position DESC
), given AS (
    SELECT payment_id, sum(amount) AS discount, sum(returned) AS back, string_agg(DISTINCT state, ', ') AS state
    FROM newest GROUP BY payment_id, name
), returned AS (
    SELECT payment_id, on_us, sum(payee_discount) AS back FROM {s}.refunds JOIN {s}.refund_outcomes USING (id)
    WHERE completed GROUP BY 1, 2
), sold AS (
    SELECT id, payee_discount, completed, true AS on_us
    FROM {s}.payments LEFT JOIN {s}.payment_outcomes USING (id) WHERE sponsor = 'sponsorships'
    UNION ALL
    SELECT id, payee_discount, completed, false
    FROM {s}.receipts LEFT JOIN {s}.receipt_outcomes USING (id) WHERE sponsor = 'sponsorships'
), told AS (
    SELECT CASE WHEN id IN (SELECT payment_id FROM given) THEN id ELSE '00000000-0000-0000-0000-000000000000' END AS id,
        payee_discount || ' less ' || coalesce(back, 0) || ', '
            || CASE WHEN completed THEN 'COMMITTED' WHEN NOT completed THEN 'RELEASED' ELSE 'RESERVED' END AS said
    FROM sold LEFT JOIN returned ON payment_id = id AND returned.on_us = sold.on_us
), payments AS (
    SELECT id, array_agg(said ORDER BY said) AS said FROM told GROUP BY 1
), awards AS (
    SELECT payment_id AS id, array_agg(said ORDER BY said) AS said
    FROM (SELECT payment_id, discount || ' less ' || back || ', ' || state AS said FROM given) AS each GROUP BY 1
)
SELECT id, 'payment that its payee made cheaper: ' || coalesce(array_to_string(payments.said, '; '), 'unknown')
    || '; its awards: ' || coalesce(array_to_string(awards.said, '; '), 'none')
FROM payments FULL JOIN awards USING (id) WHERE payments.said IS DISTINCT FROM awards.said""",
)
# From the budget on: what one campaign gives is paid from its own account, what several give by way of what was awarded.
_PAID_FROM = Rule(
    3,
    ("awards", "payments", "receipts", "campaigns", "account"),
    """
WITH paid AS (
    SELECT id, 'PAYER' AS side, budget_account AS account_id FROM {s}.payments WHERE adjuster = 'campaigns'
    UNION ALL
    SELECT id, 'PAYEE', sponsor_account FROM {s}.payments WHERE sponsor = 'sponsorships'
    UNION ALL
    SELECT id, 'PAYEE', sponsor_account FROM {s}.receipts WHERE sponsor = 'sponsorships'
), budget AS (
    SELECT paid.id, side, code, user_data_128 AS campaign_id FROM paid JOIN {s}.account AS a ON a.id = account_id
), side AS (
    SELECT DISTINCT id AS campaign_id, side FROM {s}.campaigns
), award AS (
    SELECT DISTINCT id, campaign_id, side, combined, CASE side WHEN 'PAYER' THEN payment_id ELSE source_id END AS paid_id
    FROM {s}.all_awards JOIN side USING (campaign_id) WHERE kind = 'DISCOUNT'
)
SELECT id, 'award is of campaign ' || campaign_id || ', and nothing was paid from its budget' FROM award AS a
WHERE paid_id <> '00000000-0000-0000-0000-000000000000' AND NOT EXISTS (
    SELECT FROM budget AS b WHERE b.id = paid_id AND b.side = a.side
        AND CASE WHEN combined THEN code = 2203 ELSE code = 2202 AND b.campaign_id = a.campaign_id END
)""",
)
# What goes by way of what was awarded: each award's own transfers, from its campaign, back to it, and to its person.
_MOVED = Rule(
    7,
    ("awards", "transfer", "account"),
    """
WITH newest AS (
    SELECT DISTINCT ON (id) id, campaign_id, kind, person_id, amount, state,
        CASE state WHEN 'RELEASED' THEN 0 ELSE amount - returned END AS gives
    FROM {s}.awards WHERE combined ORDER BY id, position DESC
), moved AS (
    SELECT t.user_data_128 AS id, sum(amount) FILTER (WHERE c.code = 2203) AS came,
        sum(amount) FILTER (WHERE c.code = 2202) AS back, sum(amount) FILTER (WHERE t.code = 93) AS paid,
        array_agg(DISTINCT CASE WHEN d.code = 2202 THEN d.user_data_128 WHEN c.code = 2202 THEN c.user_data_128 END)
            FILTER (WHERE t.code = 92) AS campaigns,
        array_agg(DISTINCT c.user_data_128) FILTER (WHERE t.code = 93) AS people
    FROM {s}.transfer AS t JOIN {s}.account AS d ON d.id = debit_account_id JOIN {s}.account AS c ON c.id = credit_account_id
    WHERE t.code IN (92, 93) GROUP BY 1
)
SELECT id, 'award is ' || coalesce(state, 'unknown') || ' of ' || coalesce(n.amount, 0) || ' and gives '
    || coalesce(gives, 0) || '; ' || coalesce(came, 0) || ' came, ' || coalesce(back, 0) || ' went back, '
    || coalesce(paid, 0) || ' was paid'
FROM newest AS n FULL JOIN moved AS m USING (id)
WHERE coalesce(n.amount, 0) <> coalesce(came, 0) OR coalesce(n.amount - gives, 0) <> coalesce(back, 0)
    OR coalesce(paid, 0) <> CASE WHEN kind = 'REWARD' AND state = 'COMMITTED' THEN gives ELSE 0 END
    OR campaigns <> ARRAY[n.campaign_id] OR people <> ARRAY[n.person_id]""",
)

MARKETING_RULES = (_BUDGETS, _CAPS, _IN_LEDGER, _TRACED, _SPONSORED, _PAID_FROM, _MOVED)
