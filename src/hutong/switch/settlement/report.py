"""
A node's statement of a window as others' software reads it: ISO 20022 camt.053.001.08 and camt.054.001.08, and CSV;
and the scheme's invoices as CSV.

camt.053 is the settlement account: balances, and one entry for the window. camt.054 is what stands behind that entry: a
booked batch for each counterparty and direction. Each payment by itself is in the clearing file.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from xml.etree import ElementTree as ET

from hutong.kernel.clock import instant
from hutong.kernel.ids import id_text
from hutong.kernel.money import currency_of, format_amount
from hutong.switch.settlement.invoice import Invoice, InvoiceLine
from hutong.switch.settlement.obligation import Flow
from hutong.switch.settlement.statement import Entry

CAMT_053 = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
CAMT_054 = "urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"
CSV_COLUMNS = (
    *("number", "booked_at", "kind", "window", "settles_on", "currency", "credit", "debit", "moved", "loss", "missing"),
    *("opening", "closing"),
)
INVOICE_COLUMNS = (
    *("number", "issued_at", "month", "node", "currency", "what", "count", "volume", "charged", "how"),
    *("total", "due", "state"),
)
_NO_LINE = InvoiceLine("", 0, 0, 0, "")


def statement_xml(entry: Entry, flows: Sequence[Flow], switch: str) -> bytes:
    """camt.053.001.08 of one entry."""
    document, statement = _document(CAMT_053, "BkToCstmrStmt", "Stmt", entry, switch)
    for code, minor in (("OPBD", entry.opening_minor), ("CLBD", entry.closing_minor)):
        balance = _under(statement, "Bal")
        _under(_under(_under(balance, "Tp"), "CdOrPrtry"), "Cd", code)
        _amount(balance, "Amt", minor, entry.currency)
        _under(balance, "CdtDbtInd", "CRDT")
        _under(_under(balance, "Dt"), "DtTm", _time(entry.booked_ns))
    counted = sum(flow.count for flow in flows)
    if counted:
        summary = _under(statement, "TxsSummry")
        for tag, minor in (("TtlCdtNtries", entry.credit_minor), ("TtlDbtNtries", entry.debit_minor)):
            total = _under(summary, tag)
            _under(total, "Sum", _major(minor, entry.currency))
    booked = _entry(statement, entry, abs(entry.moved_minor), "CRDT" if entry.moved_minor >= 0 else "DBIT", entry.kind)
    if counted:
        _batch(_under(booked, "NtryDtls"), counted, 0, entry.currency)
    return _written(document)


def notification_xml(entry: Entry, flows: Sequence[Flow], switch: str) -> bytes:
    """camt.054.001.08: the batches behind one entry, gross, by counterparty and direction."""
    document, notification = _document(CAMT_054, "BkToCstmrDbtCdtNtfctn", "Ntfctn", entry, switch)
    for flow in flows:
        is_debtor = flow.debtor_agent == entry.node_id
        minor = flow.settlement_minor + (flow.switch_fee_minor if is_debtor else 0)
        direction = "DBIT" if is_debtor != flow.is_return else "CRDT"
        booked = _entry(notification, entry, minor, direction, "RETURN" if flow.is_return else "PAYMENT")
        details = _under(booked, "NtryDtls")
        _batch(details, flow.count, minor, entry.currency)
        other = flow.creditor_agent if is_debtor else flow.debtor_agent
        transaction = _under(details, "TxDtls")
        _under(_under(transaction, "Refs"), "ClrSysRef", entry.window)
        _amount(transaction, "Amt", minor, entry.currency)
        _under(transaction, "CdtDbtInd", direction)
        agents = _under(transaction, "RltdAgts")
        for tag, node in (("DbtrAgt", flow.debtor_agent), ("CdtrAgt", flow.creditor_agent)):
            _under(_under(_under(_under(agents, tag), "FinInstnId"), "Othr"), "Id", node)
        _under(transaction, "AddtlTxInf", f"{flow.count} with {other}")
    return _written(document)


def statement_csv(entries: Iterable[Entry]) -> str:
    """Entries of an account, oldest first, in minor units."""
    rows = (
        (
            entry.number,
            _time(entry.booked_ns),
            entry.kind,
            entry.window,
            entry.settles_on,
            entry.currency,
            entry.credit_minor,
            entry.debit_minor,
            entry.moved_minor,
            entry.loss_minor,
            entry.missing_minor,
            entry.opening_minor,
            entry.closing_minor,
        )
        for entry in entries
    )
    return _csv(CSV_COLUMNS, rows)


def invoices_csv(invoices: Iterable[Invoice]) -> str:
    """A row for each line of each invoice, in minor units; one without lines has one row that says so."""
    rows = (
        (
            *(invoice.number, _time(invoice.issued_ns), invoice.month, invoice.node_id, invoice.currency),
            *(line.what, line.count, line.volume_minor, line.charged_minor, line.how),
            *(invoice.total_minor, invoice.due_minor, invoice.state),
        )
        for invoice in invoices
        for line in invoice.read_lines() or [_NO_LINE]
    )
    return _csv(INVOICE_COLUMNS, rows)


def _csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def _document(namespace: str, kind: str, what: str, entry: Entry, switch: str) -> tuple[ET.Element, ET.Element]:
    """The head that both messages share, as far as the account; what follows goes under the second element."""
    document = ET.Element("Document", xmlns=namespace)
    message = _under(document, kind)
    id_ = id_text("stm", entry.id)
    header = _under(message, "GrpHdr")
    _under(header, "MsgId", id_)
    _under(header, "CreDtTm", _time(entry.booked_ns))
    body = _under(message, what)
    _under(body, "Id", id_)
    _under(body, "ElctrncSeqNb", str(entry.number))
    _under(body, "CreDtTm", _time(entry.booked_ns))
    account = _under(body, "Acct")
    _under(_under(_under(account, "Id"), "Othr"), "Id", f"{entry.node_id}-{entry.currency}")
    _under(account, "Ccy", entry.currency)
    _under(_under(account, "Ownr"), "Nm", entry.node_id)
    servicer = _under(_under(account, "Svcr"), "FinInstnId")
    _under(_under(servicer, "Othr"), "Id", switch)
    return document, body


def _entry(parent: ET.Element, entry: Entry, minor: int, direction: str, kind: str) -> ET.Element:
    booked = _under(parent, "Ntry")
    _under(booked, "NtryRef", entry.window or str(entry.number))
    _amount(booked, "Amt", minor, entry.currency)
    _under(booked, "CdtDbtInd", direction)
    _under(_under(booked, "Sts"), "Cd", "BOOK")
    _under(_under(booked, "BookgDt"), "DtTm", _time(entry.booked_ns))
    if entry.settles_on:
        _under(_under(booked, "ValDt"), "Dt", entry.settles_on)
    _under(_under(_under(booked, "BkTxCd"), "Prtry"), "Cd", kind)
    return booked


def _batch(parent: ET.Element, count: int, minor: int, currency: str) -> None:
    batch = _under(parent, "Btch")
    _under(batch, "NbOfTxs", str(count))
    if minor:
        _amount(batch, "TtlAmt", minor, currency)


def _amount(parent: ET.Element, tag: str, minor: int, currency: str) -> None:
    _under(parent, tag, _major(minor, currency)).set("Ccy", currency)


def _major(minor: int, currency: str) -> str:
    return format_amount(minor, currency_of(currency))


def _time(ns: int) -> str:
    return instant(ns).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _under(parent: ET.Element, tag: str, text: str = "") -> ET.Element:
    element = ET.SubElement(parent, tag)
    element.text = text or None
    return element


def _written(document: ET.Element) -> bytes:
    ET.indent(document)
    written: bytes = ET.tostring(document, encoding="UTF-8", xml_declaration=True)
    return written + b"\n"
