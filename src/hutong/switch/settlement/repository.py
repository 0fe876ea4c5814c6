"""The rows of settlement."""

from hutong.runtime.tables import Table
from hutong.switch.settlement.calendar import SettlementCalendar
from hutong.switch.settlement.invoice import Invoice
from hutong.switch.settlement.movement import Movement
from hutong.switch.settlement.obligation import Flow, Obligation
from hutong.switch.settlement.proof import SwitchProof
from hutong.switch.settlement.rules import RulesVersion
from hutong.switch.settlement.statement import Entry, Told
from hutong.switch.settlement.window import WindowRow

CALENDARS = Table("settlement_calendar", SettlementCalendar)
RULES = Table("settlement_rules", RulesVersion)
WINDOWS = Table("settlement_window", WindowRow)
FLOWS = Table("settlement_flow", Flow)
OBLIGATIONS = Table("settlement_obligation", Obligation)
MOVEMENTS = Table("settlement_movement", Movement)
ENTRIES = Table("settlement_entry", Entry)
TOLD = Table("settlement_told", Told)
INVOICES = Table("settlement_invoice", Invoice)
PROOFS = Table("safeguarding_proof", SwitchProof)
