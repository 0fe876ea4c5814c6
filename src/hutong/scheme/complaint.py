"""The words of complaints, as they travel: `docs/scheme/complaint.md`."""

from enum import Enum


class ComplaintKind(Enum):
    """What a payer complains of."""

    REFUND = "RFND"  # The payer wants money back.
    SERVICE = "SRVC"  # What was paid for was not given, or not as promised.
    OTHER = "OTHR"


class ComplaintAct(Enum):
    """What somebody did in a complaint."""

    OPEN = "OPEN"  # The payer complains.
    SAY = "SAYS"
    CONTINUE = "CONT"  # The payer is not content with how it was completed.
    WITHDRAW = "WTHD"
    CONFIRM = "CNFM"  # The payer is content.
    APPROVE = "APRV"  # The payee says that it will refund.
    REFUSE = "RFSE"  # The payee says that it will not.
    COMPLETE = "CMPL"  # The payee has done what it will do.
    REFUND = "RFND"  # Money went back: the creditor agent's word.


class ComplaintParty(Enum):
    """Whose turn one was."""

    PAYER = "DBTR"
    PAYEE = "CDTR"
    AGENT = "AGNT"  # The creditor agent itself.


class ComplaintStatus(Enum):
    """How a complaint stands."""

    PENDING = "PDNG"  # The payee has yet to answer.
    PROCESSING = "PRCG"
    PROCESSED = "PRCD"  # Completed by the payee, or ended by the payer.
