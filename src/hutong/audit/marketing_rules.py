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
    SELECT campaign_id, sum(change) OVER (PARTITION BY campaign_id ORDER BY position) AS total FROM {s}.awards
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
    SELECT id AS campaign_id, key AS level, max(value::bigint) AS most
    FROM terms, jsonb_each_text(caps) WHERE key <> 'place_is' GROUP BY 1, 2 HAVING min(value::bigint) > 0
), change AS (
    SELECT position, campaign_id, change, 'day' AS level, day::text AS what FROM {s}.awards
    UNION ALL
    SELECT position, campaign_id, change, 'place', day || ' ' || place FROM {s}.awards WHERE place <> ''
    UNION ALL
    SELECT position, campaign_id, change, 'person', person_id::text FROM {s}.awards
    UNION ALL
    SELECT position, campaign_id, change, 'person_day', day || ' ' || person_id FROM {s}.awards
    UNION ALL
    SELECT position, campaign_id, times, 'times', person_id::text FROM {s}.awards
    UNION ALL
    SELECT position, campaign_id, times, 'times_day', day || ' ' || person_id FROM {s}.awards
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
    SELECT campaign_id, sum(change) AS given FROM {s}.awards GROUP BY 1
), waiting AS (
    SELECT DISTINCT ON (id) id, kind, state, amount FROM {s}.awards ORDER BY id, position DESC
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
    FROM {s}.awards AS a WHERE kind = 'DISCOUNT' ORDER BY id, position DESC
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

MARKETING_RULES = (_BUDGETS, _CAPS, _IN_LEDGER, _TRACED)
