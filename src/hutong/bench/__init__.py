"""
`hutong bench`: figures anyone can re-run, each beside what it is compared to, measured in the same run.

Everything (database, nodes, load) shares this machine's cores, durability is on, and nothing is left behind.
"""
