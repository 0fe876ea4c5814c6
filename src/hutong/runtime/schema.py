"""What a node's schema looks like, as text: to see in a review what a migration does, and to compare two databases."""

from typing import LiteralString

from hutong.runtime.database import Database

# From the catalogue rather than from pg_dump: the text is the same under every version of the server.
_COLUMNS: LiteralString = """
SELECT c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
    || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
    || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
ORDER BY c.relname, a.attnum"""
_CONSTRAINTS: LiteralString = """
SELECT r.relname || ' ' || pg_get_constraintdef(k.oid)
FROM pg_constraint k JOIN pg_class r ON r.oid = k.conrelid
WHERE k.connamespace = current_schema()::regnamespace AND k.contype <> 'n'
ORDER BY 1"""
_INDEXES: LiteralString = """
SELECT replace(indexdef, ' ' || quote_ident(schemaname) || '.', ' ')
FROM pg_indexes WHERE schemaname = current_schema() ORDER BY indexname"""
_FUNCTIONS: LiteralString = """
SELECT 'function ' || proname || '(' || pg_get_function_arguments(oid) || ') ' || md5(prosrc)
FROM pg_proc WHERE pronamespace = current_schema()::regnamespace ORDER BY 1"""


async def describe(database: Database) -> str:
    """Tables with their columns, constraints, indexes and functions, one per line, in a fixed order."""
    connection = await database.connect()
    try:
        lines: list[str] = []
        for query in (_COLUMNS, _CONSTRAINTS, _INDEXES, _FUNCTIONS):
            lines += [row[0] for row in await connection.fetch(query)]
    finally:
        await connection.close()
    return "\n".join(lines) + "\n"
