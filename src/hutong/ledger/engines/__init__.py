"""The engines behind the ledger's port. They answer alike: one conformance suite says so."""
