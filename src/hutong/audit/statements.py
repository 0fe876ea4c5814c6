"""What institutions said to each other of their merchants: whatever somebody's money was given on is in the sayer's own rows."""

from collections.abc import Sequence

from hutong.audit.finding import Report
from hutong.audit.snapshot import Advance, NodeRows

_BUDGETS = 7
_CLOCKS_NS = 60 * 1_000_000_000  # Of other machines, which may be ahead of ours by so much.
_SAID = "SELECT md5(convert_from(said, 'UTF8')::jsonb::text) FROM {s}.merchant_statements"
_HEARD = """
SELECT creditor_agent, md5(said::text), said::text, min(id::text), min(created_ns) FROM (
    SELECT p.creditor_agent, convert_from(a.facts, 'UTF8')::jsonb -> 'merchant_said' AS said, a.id, a.created_ns
    FROM {s}.awards AS a JOIN {s}.payments AS p ON p.id = a.payment_id WHERE a.facts <> ''
) AS heard WHERE said IS NOT NULL GROUP BY 1, 2, 3"""
_TABLES = {"awards", "payments"}


async def check_statements(institutions: Sequence[NodeRows], report: Report, advance: Advance) -> None:
    """
    Each award that was given on what another institution said of its merchant is held against what that one wrote down.

    An institution whose rows are not here is not asked; nor is, of one that was read before, what came later.
    """
    said: dict[str, set[str]] = {}
    agents = {node.name: node for node in institutions if "merchant_statements" in node.tables}
    for name, node in agents.items():
        said[name] = {digest async for (digest,) in node.rows(_SAID, advance=advance)}
    for node in institutions:
        if not node.tables >= _TABLES:
            continue
        async for name, digest, text, award_id, since_ns in node.rows(_HEARD, advance=advance):
            agent = agents.get(name)
            if agent is None or digest in said[name]:
                continue
            if agent.connection is not node.connection and since_ns > agent.taken_ns - _CLOCKS_NS:
                continue
            report.find(node.name, _BUDGETS, f"award {award_id} is for a merchant of {name}, which never said {text}")
