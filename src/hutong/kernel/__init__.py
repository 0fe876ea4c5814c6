"""Values every domain shares: money, ids, time, refusals. No I/O and no domain."""
