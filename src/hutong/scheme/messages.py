"""
The messages between nodes, as typed structs.

On the wire a message is a JSON object whose `MsgTp` names it and whose fields have ISO 20022's short XML tag
names (the `rename` of each struct); inside they have our words. Ids travel as 32 lower-case hexadecimal digits,
amounts as integers of minor units with their ISO 4217 code beside them, instants as integer milliseconds since
1970 UTC. Messages may be lost, repeated and reordered: every one can be sent again with the same content.
"""

from enum import Enum
from typing import Annotated

import msgspec

from hutong.scheme.complaint_messages import ComplaintPictureAsked, ComplaintPiece, ComplaintSaid, ComplaintTurn
from hutong.scheme.hold import HoldReport, HoldRequest
from hutong.scheme.message import (
    CurrencyCode,
    DateText,
    EntryNumber,
    Max35Text,
    Max140Text,
    Max512Text,
    MccText,
    Message,
    MessageId,
    Milliseconds,
    MinorUnits,
    NodeId,
    PositiveMinorUnits,
    WindowText,
)

VERSION = 1  # Of the protocol; in every envelope. A node refuses a version it does not speak, by name.
MESSAGES_MAX = 500  # In one envelope.
TRACE_HOPS_MAX = 500  # In one answer.
WORDS_MAX = 16  # That one institution says to another of a merchant.


class Channel(Enum):
    """How a payment came about (ISO 20022 `LclInstrm`, proprietary codes); fees and limits look at it."""

    code: str  # The value, without the call of Python that `.value` is.

    def __init__(self, code: str) -> None:
        self.code = code

    __hash__ = object.__hash__  # Members are single; an enumeration's own hash is a call of Python, for every look-up.

    STATIC_CODE = "STATIC"  # A plate: the payer gave the amount.
    DYNAMIC_CODE = "DYNAMIC"  # A code made for this one payment.
    PAYMENT_CODE = "PYMTCD"  # The merchant scanned the payer's code.
    PERSONAL_CODE = "PERSON"  # A person's code: no merchant, no fee.
    TOP_UP = "TOPUP"  # From a bank account under a mandate.
    WITHDRAWAL = "WTHDRW"  # To the payer's own bank account.
    REQUEST = "REQUEST"  # A payment request reached otherwise: a link, a gateway order.


class TransactionStatus(Enum):
    """ISO 20022 external payment transaction status, the ones this scheme uses."""

    ACCEPTED = "ACSP"  # The creditor agent holds the pending credit and waits for the decision.
    COMPLETED = "ACSC"  # The switch posted: final.
    REJECTED = "RJCT"  # The switch voided or refused: final.
    PENDING = "PDNG"  # Undecided: the answer to an enquiry.


class ConsultStatus(Enum):
    """The answer to a code consult."""

    FOUND = "FOUND"
    REFUSED = "REFUSED"


class RecallReason(Enum):
    """Why a payment is to be given back (ISO 20022 ExternalCancellationReason1Code), the ones this scheme uses."""

    FRAUD = "FRAD"
    DUPLICATE = "DUPL"
    WRONG_AMOUNT = "AM09"
    WRONG_ACCOUNT = "AC03"
    UNDUE = "UPAY"
    TECHNICAL = "TECH"
    CUSTOMER = "CUST"


class RecallStatus(Enum):
    """How a recall stands (ISO 20022 ExternalInvestigationExecutionConfirmation1Code)."""

    PENDING = "PDCR"  # It arrived, and nobody has decided.
    ACCEPTED = "CNCL"  # All that was asked for comes back: the pacs.004 named.
    PARTIAL = "PECR"  # A part comes back.
    REJECTED = "RJCR"


class TraceKind(Enum):
    """What became of traced money at one step."""

    PAYMENT = "PAYMENT"  # Paid on, here or to another node.
    PAID_OUT = "PAIDOUT"  # It left the network.
    RETURNED = "RETURNED"  # It went back: a refund or a return.
    FEE = "FEE"
    DISPUTED = "DISPUTED"  # Set aside in a dispute.
    RELEASED = "RELEASED"  # The dispute ended, and the payee has it again.
    KEPT = "KEPT"  # Still there.


class EntryKind(Enum):
    """Why a settlement account moved."""

    WINDOW = "WINDOW"  # A window was settled.
    TOP_UP = "TOPUP"  # The participant paid money in.
    WITHDRAWAL = "WTHDRW"  # It took money out.
    CHARGE = "CHRG"  # The scheme's charge by invoice.


class CreditTransfer(Message, frozen=True, kw_only=True, tag="pacs.008"):
    """
    pacs.008: pay. From the debtor agent to the switch, and from the switch to the creditor agent.

    With A the gross amount, D the discount sponsored at the debtor agent and E the one sponsored at the
    creditor side, i the interchange and s the switch fee: `settlement` = A - E - i - s is credited to
    the creditor agent's position, and A - E - i leaves the debtor agent's.
    """

    payment_id: MessageId = msgspec.field(name="TxId")
    request_id: MessageId = msgspec.field(
        name="EndToEndId"
    )  # The creditor agent's payment request, or its static code.
    amount: PositiveMinorUnits = msgspec.field(name="InstdAmt")  # A.
    currency: CurrencyCode = msgspec.field(name="Ccy")
    settlement: PositiveMinorUnits = msgspec.field(name="IntrBkSttlmAmt")  # A - E - i - s.
    creditor_discount: MinorUnits = msgspec.field(name="CdtrDscntAmt", default=0)  # E.
    interchange: MinorUnits = msgspec.field(name="IntrchgAmt", default=0)  # i.
    switch_fee: MinorUnits = msgspec.field(name="SwtchChrgAmt", default=0)  # s.
    fee_version: Max35Text = msgspec.field(name="FeeVrsn")
    channel: Channel = msgspec.field(name="LclInstrm")
    mcc: MccText = msgspec.field(name="MrchntCtgyCd")
    debtor_agent: NodeId = msgspec.field(name="DbtrAgt")
    creditor_agent: NodeId = msgspec.field(name="CdtrAgt")
    debtor_name: Max140Text = msgspec.field(name="DbtrNm", default="")  # As the creditor may see it: masked.
    debtor_ref: Max35Text = msgspec.field(
        name="DbtrRef", default=""
    )  # Stable pseudonym of the payer towards this agent.
    accepted_at_ms: Milliseconds = msgspec.field(name="AccptncDtTm")
    expires_at_ms: Milliseconds = msgspec.field(name="XpryDtTm")  # The switch decides no later than this.
    remittance: Max140Text = msgspec.field(name="RmtInf", default="")


class PaymentStatus(Message, frozen=True, kw_only=True, tag="pacs.002"):
    """pacs.002: how a payment or a return stands. Only the switch's ACSC or RJCT is final."""

    payment_id: MessageId = msgspec.field(name="OrgnlTxId")  # Or the return's id.
    originator: NodeId = msgspec.field(name="OrgnlInstgAgt")  # Who minted that id: ids are unique per originator.
    status: TransactionStatus = msgspec.field(name="TxSts")
    reason: Max35Text = msgspec.field(name="StsRsnCd", default="")  # ISO external status reason code.
    reason_name: Annotated[str, msgspec.Meta(max_length=70)] = msgspec.field(name="StsRsnPrtry", default="")
    facts: Annotated[dict[Max35Text, Max140Text | int], msgspec.Meta(max_length=16)] = msgspec.field(
        name="AddtlInf", default={}
    )
    settles_on: DateText = msgspec.field(name="IntrBkSttlmDt", default="")
    window: WindowText = msgspec.field(name="SttlmCycl", default="")


class StatusRequest(Message, frozen=True, kw_only=True, tag="pacs.028"):
    """pacs.028: an undecided agent asks the switch how a payment or a return stands."""

    payment_id: MessageId = msgspec.field(name="OrgnlTxId")  # Or the return's id.
    originator: NodeId = msgspec.field(
        name="OrgnlInstgAgt"
    )  # The debtor agent of a payment, the creditor agent of a return.


class PaymentReturn(Message, frozen=True, kw_only=True, tag="pacs.004"):
    """
    pacs.004: money back. From the creditor agent through the switch to the debtor agent, mirrored.

    Decided like a payment, under its own id. `settlement` leaves the creditor agent's position; the shares of
    i and s come back with it, so the debtor agent's position gets `settlement` + `interchange` + `switch_fee`
    less the interchange it gives back itself.
    """

    return_id: MessageId = msgspec.field(name="RtrId")
    payment_id: MessageId = msgspec.field(name="OrgnlTxId")
    amount: PositiveMinorUnits = msgspec.field(name="RtrdInstdAmt")  # R, of the gross A.
    currency: CurrencyCode = msgspec.field(name="Ccy")
    settlement: MinorUnits = msgspec.field(name="RtrdIntrBkSttlmAmt")  # R less the shares of E, i and s.
    creditor_discount: MinorUnits = msgspec.field(name="CdtrDscntAmt", default=0)
    interchange: MinorUnits = msgspec.field(name="IntrchgAmt", default=0)
    switch_fee: MinorUnits = msgspec.field(name="SwtchChrgAmt", default=0)
    debtor_agent: NodeId = msgspec.field(name="DbtrAgt")  # Of the original payment: who is paid back.
    creditor_agent: NodeId = msgspec.field(name="CdtrAgt")
    reason: Max35Text = msgspec.field(name="RtrRsnCd", default="CUST")
    remittance: Max140Text = msgspec.field(name="RmtInf", default="")
    accepted_at_ms: Milliseconds = msgspec.field(name="AccptncDtTm")
    expires_at_ms: Milliseconds = msgspec.field(name="XpryDtTm")


class MerchantFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """
    What kind of merchant is paid, as its own institution says: for the rules of whoever makes the payment cheaper.

    The ids are opaque, and the same for as long as the merchant and the shop are.
    """

    merchant: Annotated[str, msgspec.Meta(min_length=1, max_length=35)] = msgspec.field(name="MrchntId")
    shop: Max35Text = msgspec.field(name="StrId", default="")
    city: Max140Text = msgspec.field(name="TwnNm", default="")
    small: bool = msgspec.field(name="SmllInd")  # By that institution's own measure.
    words: Annotated[tuple[Max140Text, ...], msgspec.Meta(max_length=WORDS_MAX)] = msgspec.field(
        name="Wrds", default=()
    )


class RequestToPay(Message, frozen=True, kw_only=True, tag="pain.013"):
    """
    pain.013: a creditor agent asks to be paid, by payment code or under a mandate.

    The switch routes it to the node that owns `code`; that node answers pain.014, and, once its user agrees,
    sends its pacs.008 naming `request_id`.
    """

    request_id: MessageId = msgspec.field(name="PmtInfId")
    # A payment code, `mandate:<bank node>:<token>`, or `hold:<debtor agent>:<hold>:<token>`.
    code: Max512Text = msgspec.field(name="PmtCd")
    amount: PositiveMinorUnits = msgspec.field(name="InstdAmt")
    currency: CurrencyCode = msgspec.field(name="Ccy")
    channel: Channel = msgspec.field(name="LclInstrm")
    mcc: MccText = msgspec.field(name="MrchntCtgyCd")
    creditor_agent: NodeId = msgspec.field(name="CdtrAgt")
    creditor_name: Max140Text = msgspec.field(name="CdtrNm")
    creditor_discount: MinorUnits = msgspec.field(name="CdtrDscntAmt", default=0)
    remittance: Max140Text = msgspec.field(name="RmtInf", default="")
    expires_at_ms: Milliseconds = msgspec.field(name="XpryDtTm")
    # Filled in by the switch when it forwards: what the scheme charges, and under which version.
    interchange_bps: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = msgspec.field(name="IntrchgBps", default=0)
    switch_fee_bps: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = msgspec.field(name="SwtchChrgBps", default=0)
    fee_version: Max35Text = msgspec.field(name="FeeVrsn", default="")
    # None: its institution does not say.
    merchant: MerchantFacts | None = msgspec.field(name="MrchntFcts", default=None)


class RequestStatus(Message, frozen=True, kw_only=True, tag="pain.014"):
    """
    pain.014: how a request to pay stands at the debtor's side: PDNG while the payer is asked, RJCT with a reason.

    Nothing is held while it is pending. Agreement is not said here: it is the pacs.008 that follows.
    """

    request_id: MessageId = msgspec.field(name="OrgnlPmtInfId")
    creditor_agent: NodeId = msgspec.field(name="CdtrAgt")
    status: TransactionStatus = msgspec.field(name="TxSts")
    reason: Max35Text = msgspec.field(name="StsRsnCd", default="")
    reason_name: Annotated[str, msgspec.Meta(max_length=70)] = msgspec.field(name="StsRsnPrtry", default="")


class CodeConsult(Message, frozen=True, kw_only=True, tag="hutong.consult"):
    """Whose code is this, and what does it ask for? From the debtor agent through the switch to the code's owner."""

    consult_id: MessageId = msgspec.field(name="CnsltId")
    code: Max512Text = msgspec.field(name="Cd")
    debtor_agent: NodeId = msgspec.field(name="DbtrAgt")
    amount: MinorUnits = msgspec.field(name="InstdAmt", default=0)  # What the payer typed; 0: nothing as yet.
    currency: CurrencyCode = msgspec.field(name="Ccy", default="CNY")
    # Filled in by the switch when it forwards.
    form: Annotated[str, msgspec.Meta(max_length=512)] = msgspec.field(
        name="CdFrm", default=""
    )  # The registered form that matched.


class CodeResolve(Message, frozen=True, kw_only=True, tag="hutong.resolve"):
    """
    The answer to a code consult: what the payer is shown before confirming, and how to pay it.

    From the code's owner through the switch, which fills in the scheme's fees, to the debtor agent.
    """

    consult_id: MessageId = msgspec.field(name="CnsltId")
    debtor_agent: NodeId = msgspec.field(name="DbtrAgt")
    status: ConsultStatus = msgspec.field(name="CnsltSts")
    reason: Max35Text = msgspec.field(name="StsRsnCd", default="")
    reason_name: Annotated[str, msgspec.Meta(max_length=70)] = msgspec.field(name="StsRsnPrtry", default="")
    creditor_agent: NodeId | None = msgspec.field(name="CdtrAgt", default=None)
    creditor_name: Max140Text = msgspec.field(name="CdtrNm", default="")
    shop_name: Max140Text = msgspec.field(name="StrNm", default="")
    mcc: MccText = msgspec.field(name="MrchntCtgyCd", default="0000")
    channel: Channel = msgspec.field(name="LclInstrm", default=Channel.STATIC_CODE)
    # What the pacs.008 must name: a payment request's id, or the id of a static or personal code, for which
    # the creditor agent makes a request of its own with each payment.
    request_id: MessageId = msgspec.field(name="PmtInfId", default="0" * 32)
    is_static: bool = msgspec.field(name="SttcInd", default=False)
    amount: MinorUnits = msgspec.field(name="InstdAmt", default=0)  # 0: the payer says how much.
    currency: CurrencyCode = msgspec.field(name="Ccy", default="CNY")
    creditor_discount: MinorUnits = msgspec.field(name="CdtrDscntAmt", default=0)  # Of an open amount: as consulted.
    asks_amount: bool = msgspec.field(name="DscntInd", default=False)  # Of some open amount, there would be a discount.
    remittance: Max140Text = msgspec.field(name="RmtInf", default="")
    expires_at_ms: Milliseconds = msgspec.field(name="XpryDtTm", default=0)  # 0: does not expire.
    interchange_bps: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = msgspec.field(name="IntrchgBps", default=0)
    switch_fee_bps: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = msgspec.field(name="SwtchChrgBps", default=0)
    fee_version: Max35Text = msgspec.field(name="FeeVrsn", default="")
    merchant: MerchantFacts | None = msgspec.field(name="MrchntFcts", default=None)  # None: a person, or nobody says.


class RecallRequest(Message, frozen=True, kw_only=True, tag="camt.056"):
    """
    camt.056: a completed payment is to be given back. From the debtor agent through the switch to the creditor agent.

    Or from the switch itself, by a legal order; ids are unique per `asker`. It is sent again until it is answered.
    """

    recall_id: MessageId = msgspec.field(name="CxlId")
    asker: NodeId = msgspec.field(name="Assgnr")  # The debtor agent, or the switch.
    payment_id: MessageId = msgspec.field(name="OrgnlTxId")
    debtor_agent: NodeId = msgspec.field(name="DbtrAgt")
    creditor_agent: NodeId = msgspec.field(name="CdtrAgt")
    amount: PositiveMinorUnits = msgspec.field(name="RclInstdAmt")  # Of the gross A.
    currency: CurrencyCode = msgspec.field(name="Ccy")
    reason: RecallReason = msgspec.field(name="CxlRsnCd")
    remark: Max140Text = msgspec.field(name="AddtlInf", default="")
    asked_at_ms: Milliseconds = msgspec.field(name="CreDtTm")
    answer_by_ms: Milliseconds = msgspec.field(name="XpryDtTm")  # Unanswered by then, the creditor agent rejects it.


class RecallAnswer(Message, frozen=True, kw_only=True, tag="camt.029"):
    """camt.029: how a recall stands. From the creditor agent through the switch to the asker; RJCR also from the switch."""

    recall_id: MessageId = msgspec.field(name="CxlId")
    asker: NodeId = msgspec.field(name="Assgnr")
    status: RecallStatus = msgspec.field(name="Conf")
    amount: MinorUnits = msgspec.field(name="RtrdInstdAmt", default=0)  # What comes back, of the gross A.
    return_id: Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{32})?$(?!\n)")] = msgspec.field(
        name="RtrId", default=""
    )  # The pacs.004 it comes back by; another one when the first was refused.
    reason: Max35Text = msgspec.field(name="CxlStsRsnCd", default="")
    reason_name: Annotated[str, msgspec.Meta(max_length=70)] = msgspec.field(name="CxlStsRsnPrtry", default="")


class TraceRequest(Message, frozen=True, kw_only=True, tag="hutong.trace"):
    """Where did the money of a payment go? From one of its agents to the switch, and from it to the payee's node."""

    trace_id: MessageId = msgspec.field(name="TrcId")
    payment_id: MessageId = msgspec.field(name="OrgnlTxId")
    originator: NodeId = msgspec.field(name="OrgnlInstgAgt")
    amount: PositiveMinorUnits = msgspec.field(name="TrcdAmt")  # How much of what the payee got is followed.
    depth_max: Annotated[int, msgspec.Meta(ge=1, le=10)] = msgspec.field(name="HopsMax")


class TraceHop(msgspec.Struct, frozen=True, kw_only=True):
    """One step of traced money. People are pseudonyms of their own node; a payee elsewhere is found by payment and node."""

    source: Max140Text = msgspec.field(name="Frm")
    target: Max140Text = msgspec.field(name="To", default="")
    kind: TraceKind = msgspec.field(name="Tp")
    amount: MinorUnits = msgspec.field(name="Amt")
    payment_id: Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{32})?$(?!\n)")] = msgspec.field(
        name="TxId", default=""
    )
    originator: NodeId | None = msgspec.field(name="InstgAgt", default=None)
    agent: NodeId | None = msgspec.field(name="Agt", default=None)  # Where the target is.
    at_ms: Milliseconds = msgspec.field(name="DtTm", default=0)


class TraceAnswer(Message, frozen=True, kw_only=True, tag="hutong.traced"):
    """The steps of one node's part, to the switch; or of all nodes' parts, from the switch to the agent that asked."""

    trace_id: MessageId = msgspec.field(name="TrcId")
    holder: Max140Text = msgspec.field(name="Hldr", default="")  # Pseudonym of the payee of the payment asked about.
    is_whole: bool = msgspec.field(name="WhlInd", default=True)  # False: a bound was reached, or a node was silent.
    hops: Annotated[list[TraceHop], msgspec.Meta(max_length=TRACE_HOPS_MAX)] = msgspec.field(name="Hops", default=[])
    reason_name: Annotated[str, msgspec.Meta(max_length=70)] = msgspec.field(name="StsRsnPrtry", default="")


class AccountStatement(Message, frozen=True, kw_only=True, tag="camt.053"):
    """
    camt.053: an entry of the node's settlement account, with the balance before and behind it. From the switch.

    Entries are numbered without a gap. Told again until the node's camt.060 asks for a later one.
    """

    statement_id: MessageId = msgspec.field(name="StmtId")
    number: EntryNumber = msgspec.field(name="ElctrncSeqNb")
    kind: EntryKind = msgspec.field(name="BkTxCd")
    currency: CurrencyCode = msgspec.field(name="Ccy")
    amount: MinorUnits = msgspec.field(name="Amt")
    is_credit: bool = msgspec.field(name="CdtInd")  # Whether the account grew.
    opening: MinorUnits = msgspec.field(name="OpngBookdBal")
    closing: MinorUnits = msgspec.field(name="ClsgBookdBal")
    booked_at_ms: Milliseconds = msgspec.field(name="BookgDtTm")
    window: WindowText = msgspec.field(name="SttlmCycl", default="")
    settles_on: DateText = msgspec.field(name="IntrBkSttlmDt", default="")
    # Of a window: what the node was owed and what it owed, gross. Their difference was moved, but for what the node
    # bore for one that could not pay, or could not pay itself.
    credits: MinorUnits = msgspec.field(name="TtlCdtNtries", default=0)
    debits: MinorUnits = msgspec.field(name="TtlDbtNtries", default=0)
    loss: MinorUnits = msgspec.field(name="LossAmt", default=0)
    missing: MinorUnits = msgspec.field(name="UncvrdAmt", default=0)


class StatementRequest(Message, frozen=True, kw_only=True, tag="camt.060"):
    """camt.060: the node knows all entries of its settlement account before this one, and asks for what follows."""

    currency: CurrencyCode = msgspec.field(name="Ccy")
    number: EntryNumber = msgspec.field(name="ElctrncSeqNb")


AnyMessage = (
    CreditTransfer
    | PaymentStatus
    | StatusRequest
    | PaymentReturn
    | RequestToPay
    | RequestStatus
    | CodeConsult
    | CodeResolve
    | RecallRequest
    | RecallAnswer
    | TraceRequest
    | TraceAnswer
    | ComplaintSaid
    | ComplaintTurn
    | ComplaintPictureAsked
    | ComplaintPiece
    | HoldRequest
    | HoldReport
    | AccountStatement
    | StatementRequest
)


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """What travels: many messages from one node to another, signed once (see `docs/scheme/transport.md`)."""

    version: int = msgspec.field(name="Vrsn")
    instructing_agent: NodeId = msgspec.field(name="InstgAgt")
    instructed_agent: NodeId = msgspec.field(name="InstdAgt")
    messages: Annotated[list[AnyMessage], msgspec.Meta(min_length=1, max_length=MESSAGES_MAX)] = msgspec.field(
        name="Msgs"
    )


def id_hex(id_: int) -> str:
    """How an id travels in a message."""
    return f"{id_:032x}"


def hex_id(text: str) -> int:
    """The id in a message's field; its pattern was checked when the message was decoded."""
    return int(text, 16)
