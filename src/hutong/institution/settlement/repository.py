"""The rows of settlement at an institution."""

from hutong.institution.settlement.entry import SettlementEntry
from hutong.runtime.tables import Table

ENTRIES = Table("settlement_entries", SettlementEntry)
