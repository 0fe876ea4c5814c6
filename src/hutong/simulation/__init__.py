"""
`hutong simulate`: a whole network of the real nodes in one thread, with virtual time, and everything going wrong.

A run is a number: the same seed is the same run, event for event, in any process. At every event nothing may be
unsafe (`audit`); when the faults are over, nothing may stay unknown (`settled`).
"""
