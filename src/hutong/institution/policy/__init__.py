"""
Policies: what is law and agreement and not code, as dated decision tables.

A folder `<name>-<date>` holds the ZEN decision models that hold from that date on; people read and change them with the
GoRules editor. A new rule is a new folder, never a change of an old one: every payment stores the version it was decided by.
"""
