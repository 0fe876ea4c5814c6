"""What must be true of invitations: see `rules`."""

from hutong.audit.rule import Rule

# A friend has one inviter, in every version; what is held and paid for friends is what the campaign awarded, and nothing else.
INVITATIONS = Rule(
    7,
    ("referrals", "awards"),
    """
WITH newest AS (
    SELECT DISTINCT ON (id) id, inviter_id, campaign_id, state, held, reward FROM {s}.referrals ORDER BY id, position DESC
), promised AS (
    SELECT campaign_id, inviter_id, coalesce(sum(held) FILTER (WHERE state = 'HELD'), 0) AS held,
        coalesce(sum(reward) FILTER (WHERE state = 'PAID'), 0) AS paid,
        coalesce(sum(reward) FILTER (WHERE state <> 'PAID'), 0) AS astray
    FROM newest GROUP BY 1, 2
), award AS (
    SELECT DISTINCT ON (id) id, campaign_id, person_id AS inviter_id, state, amount, returned FROM {s}.awards
    WHERE source = 'invitation' ORDER BY id, position DESC
), given AS (
    SELECT campaign_id, inviter_id, coalesce(sum(amount) FILTER (WHERE state = 'RESERVED'), 0) AS held,
        coalesce(sum(amount - returned) FILTER (WHERE state = 'COMMITTED'), 0) AS paid
    FROM award GROUP BY 1, 2
)
SELECT inviter_id, 'inviter is promised ' || coalesce(p.held, 0) || ' and was paid ' || coalesce(p.paid, 0)
    || '; awards say ' || coalesce(g.held, 0) || ' and ' || coalesce(g.paid, 0)
FROM promised AS p FULL JOIN given AS g USING (campaign_id, inviter_id)
WHERE coalesce(p.held, 0) <> coalesce(g.held, 0) OR coalesce(p.paid, 0) <> coalesce(g.paid, 0) OR coalesce(p.astray, 0) > 0
UNION ALL
SELECT friend_id, 'friend has ' || count(DISTINCT inviter_id) || ' inviters' FROM {s}.referrals
GROUP BY friend_id HAVING count(DISTINCT inviter_id) > 1 OR bool_or(inviter_id = friend_id)""",
)
