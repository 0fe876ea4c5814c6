"""
What messages look like: the tables of `docs/scheme/messages.md`, to check what comes and to write what goes.

A test holds `FIELDS` to the page, row by row.
"""

import base64
import re
from typing import Any

from hutong.conformance.wire import Message, new_id, now_ms

CHANNELS = ("STATIC", "DYNAMIC", "PYMTCD", "PERSON", "TOPUP", "WTHDRW", "REQUEST")
FREE_CHANNELS = frozenset({"PERSON", "TOPUP", "WTHDRW"})
STATUSES = ("ACSP", "ACSC", "RJCT", "PDNG")
INTEGER_MAX = 2**63 - 1
INFORMATION_MAX = 16
INSTANT_MAX = 9_223_372_036_854


# A pattern, a range of integers, a number of characters, or a kind of JSON value; `docs/scheme/messages.json` has them, too.
TYPES: dict[str, dict[str, Any]] = {
    "Id": {"pattern": "[0-9a-f]{32}"},
    "Node": {"pattern": "[a-z][a-z0-9-]{1,34}"},
    "Node or null": {"pattern": "[a-z][a-z0-9-]{1,34}", "null": True},
    "Amount": {"min": 0, "max": INTEGER_MAX},
    "Amount+": {"min": 1, "max": INTEGER_MAX},
    "Currency": {"pattern": "[A-Z]{3}"},
    "Instant": {"min": 0, "max": INSTANT_MAX},
    "Bps": {"min": 0, "max": 10_000},
    "MCC": {"pattern": "[0-9]{4}"},
    "Text35": {"length_max": 35},
    "Text70": {"length_max": 70},
    "Text140": {"length_max": 140},
    "Text512": {"length_max": 512},
    "Channel": {"pattern": "|".join(CHANNELS)},
    "Status": {"pattern": "|".join(STATUSES)},
    "object": {"json": "object"},
    "date or empty": {"pattern": "([0-9]{4}-[0-9]{2}-[0-9]{2})?"},
    "Window or empty": {"pattern": "([0-9]{4}-[0-9]{2}-[0-9]{2}/[1-9][0-9]*)?"},
    "FOUND or REFUSED": {"pattern": "FOUND|REFUSED"},
    "true or false": {"json": "boolean"},
    "boolean": {"json": "boolean"},
    "Id or empty": {"pattern": "([0-9a-f]{32})?"},
    "FRAD, DUPL, AM09, AC03, UPAY, TECH or CUST": {"pattern": "FRAD|DUPL|AM09|AC03|UPAY|TECH|CUST"},
    "PDCR, CNCL, PECR or RJCR": {"pattern": "PDCR|CNCL|PECR|RJCR"},
    "integer, 1 to 10": {"min": 1, "max": 10},
    "at most 500 steps": {"json": "array", "length_max": 500},
    "integer": {"min": 1, "max": INTEGER_MAX},
    "OPEN, SAYS, CONT, WTHD, CNFM or null": {"pattern": "OPEN|SAYS|CONT|WTHD|CNFM", "null": True},
    "RFND, SRVC or OTHR": {"pattern": "RFND|SRVC|OTHR"},
    "DBTR, CDTR or AGNT": {"pattern": "DBTR|CDTR|AGNT"},
    "act": {"pattern": "OPEN|SAYS|CONT|WTHD|CNFM|APRV|RFSE|CMPL|RFND"},
    "PDNG, PRCG or PRCD": {"pattern": "PDNG|PRCG|PRCD"},
    "at most 4 digests": {"json": "array", "length_max": 4},
    "Digest": {"pattern": "[0-9a-f]{64}"},
    "integer, 0 to 2097152": {"min": 0, "max": 2_097_152},
    "DBTR or CDTR": {"pattern": "DBTR|CDTR"},
    "Base64, at most 65536": {"pattern": "[0-9A-Za-z+/]{0,65536}={0,2}"},
    "integer, 0 or more": {"min": 0, "max": INTEGER_MAX},
    "OPEN, RLSE or null": {"pattern": "OPEN|RLSE", "null": True},
    "PDNG, HELD, ENDD or RJCT": {"pattern": "PDNG|HELD|ENDD|RJCT"},
    "facts or null": {"json": "object", "null": True},
    "code": {"pattern": "WINDOW|TOPUP|WTHDRW|CHRG"},
}


def fits(value: Any, type_: dict[str, Any]) -> bool:
    """Whether a JSON value has this type."""
    if value is None:
        return bool(type_.get("null"))
    if isinstance(value, str):
        if "\0" in value:
            return False
        if "pattern" in type_:
            return re.fullmatch(type_["pattern"], value) is not None
        return len(value) <= int(type_.get("length_max", -1))
    if isinstance(value, bool):
        return type_.get("json") == "boolean"
    if isinstance(value, int):
        return "min" in type_ and bool(type_["min"] <= value <= type_["max"])
    if isinstance(value, list):
        return type_.get("json") == "array" and len(value) <= int(type_["length_max"])
    return isinstance(value, dict) and type_.get("json") == "object" and len(value) <= INFORMATION_MAX


# Each message's fields: name, type, and whether it must be there (`!`), as in the page's tables.
_TABLES = {
    "pacs.008": """
        TxId!Id EndToEndId!Id InstdAmt!Amount+ Ccy!Currency IntrBkSttlmAmt!Amount+ CdtrDscntAmt:Amount
        IntrchgAmt:Amount SwtchChrgAmt:Amount FeeVrsn!Text35 LclInstrm!Channel MrchntCtgyCd!MCC DbtrAgt!Node
        CdtrAgt!Node DbtrNm:Text140 DbtrRef:Text35 AccptncDtTm!Instant XpryDtTm!Instant RmtInf:Text140""",
    "pacs.002": """
        OrgnlTxId!Id OrgnlInstgAgt!Node TxSts!Status StsRsnCd:Text35 StsRsnPrtry:Text70 AddtlInf:object
        IntrBkSttlmDt:date_or_empty SttlmCycl:Window_or_empty""",
    "pacs.028": "OrgnlTxId!Id OrgnlInstgAgt!Node",
    "pacs.004": """
        RtrId!Id OrgnlTxId!Id RtrdInstdAmt!Amount+ Ccy!Currency RtrdIntrBkSttlmAmt!Amount CdtrDscntAmt:Amount
        IntrchgAmt:Amount SwtchChrgAmt:Amount DbtrAgt!Node CdtrAgt!Node RtrRsnCd:Text35 RmtInf:Text140
        AccptncDtTm!Instant XpryDtTm!Instant""",
    "pain.013": """
        PmtInfId!Id PmtCd!Text512 InstdAmt!Amount+ Ccy!Currency LclInstrm!Channel MrchntCtgyCd!MCC CdtrAgt!Node
        CdtrNm!Text140 CdtrDscntAmt:Amount RmtInf:Text140 XpryDtTm!Instant IntrchgBps:Bps SwtchChrgBps:Bps
        FeeVrsn:Text35 MrchntFcts:facts_or_null""",
    "pain.014": "OrgnlPmtInfId!Id CdtrAgt!Node TxSts!Status StsRsnCd:Text35 StsRsnPrtry:Text70",
    "hutong.consult": "CnsltId!Id Cd!Text512 DbtrAgt!Node InstdAmt:Amount Ccy:Currency CdFrm:Text512",
    "hutong.resolve": """
        CnsltId!Id DbtrAgt!Node CnsltSts!FOUND_or_REFUSED StsRsnCd:Text35 StsRsnPrtry:Text70 CdtrAgt:Node_or_null
        CdtrNm:Text140 StrNm:Text140 MrchntCtgyCd:MCC LclInstrm:Channel PmtInfId:Id SttcInd:true_or_false
        InstdAmt:Amount Ccy:Currency CdtrDscntAmt:Amount DscntInd:true_or_false RmtInf:Text140 XpryDtTm:Instant
        IntrchgBps:Bps SwtchChrgBps:Bps FeeVrsn:Text35 MrchntFcts:facts_or_null""",
    "camt.056": """
        CxlId!Id Assgnr!Node OrgnlTxId!Id DbtrAgt!Node CdtrAgt!Node RclInstdAmt!Amount+ Ccy!Currency
        CxlRsnCd!FRAD,_DUPL,_AM09,_AC03,_UPAY,_TECH_or_CUST AddtlInf:Text140 CreDtTm!Instant XpryDtTm!Instant""",
    "camt.029": """
        CxlId!Id Assgnr!Node Conf!PDCR,_CNCL,_PECR_or_RJCR RtrdInstdAmt:Amount RtrId:Id_or_empty CxlStsRsnCd:Text35
        CxlStsRsnPrtry:Text70""",
    "hutong.trace": "TrcId!Id OrgnlTxId!Id OrgnlInstgAgt!Node TrcdAmt!Amount+ HopsMax!integer,_1_to_10",
    "hutong.traced": "TrcId!Id Hldr:Text140 WhlInd:true_or_false Hops:at_most_500_steps StsRsnPrtry:Text70",
    "hutong.complaint": """
        CmplntId!Id OrgnlTxId!Id DbtrAgt!Node CdtrAgt!Node ElctrncSeqNb!integer
        CmplntAct:OPEN,_SAYS,_CONT,_WTHD,_CNFM_or_null ActId:Id_or_empty Ccy!Currency CmplntTp:RFND,_SRVC_or_OTHR
        ReqdAmt:Amount CtctDtls:Text35 AddtlInf:Text512 PictrDgst:at_most_4_digests CreDtTm!Instant""",
    "hutong.complained": """
        CmplntId!Id OrgnlTxId!Id DbtrAgt!Node CdtrAgt!Node ElctrncSeqNb!integer,_0_or_more Pty!DBTR,_CDTR_or_AGNT
        CmplntAct!act ActId:Id_or_empty CmplntSts!PDNG,_PRCG_or_PRCD Ccy!Currency Amt:Amount AddtlInf:Text512
        PictrDgst:at_most_4_digests XpryDtTm:Instant CreDtTm!Instant StsRsnCd:Text35 StsRsnPrtry:Text70""",
    "hutong.hold": """
        HldId!Id CdtrAgt!Node DbtrAgt:Node_or_null ElctrncSeqNb!integer,_0_or_more HldAct:OPEN,_RLSE_or_null
        ActId:Id_or_empty InstdAmt:Amount Ccy!Currency PmtCd:Text512 CdtrNm:Text140 RmtInf:Text140 XpryDtTm:Instant
        CreDtTm!Instant""",
    "hutong.held": """
        HldId!Id CdtrAgt!Node DbtrAgt:Node_or_null ElctrncSeqNb!integer,_0_or_more HldSts!PDNG,_HELD,_ENDD_or_RJCT
        InstdAmt:Amount TknAmt:Amount RlsdAmt:Amount Ccy!Currency ActId:Id_or_empty PmtCd:Text512 DbtrNm:Text140
        DbtrRef:Text35 RlsDtTm:Instant CreDtTm!Instant StsRsnCd:Text35 StsRsnPrtry:Text70""",
    "hutong.picture": """
        CmplntId!Id OrgnlTxId!Id DbtrAgt!Node CdtrAgt!Node Pty!DBTR_or_CDTR PictrDgst!Digest
        PcOfst!integer,_0_to_2097152""",
    "hutong.pictured": """
        CmplntId!Id OrgnlTxId!Id DbtrAgt!Node CdtrAgt!Node Pty!DBTR_or_CDTR PictrDgst!Digest
        PcOfst!integer,_0_to_2097152 PictrSz!integer,_0_to_2097152 Pc:Base64,_at_most_65536""",
    "camt.053": """
        StmtId!Id ElctrncSeqNb!integer BkTxCd!code Ccy!Currency Amt!Amount CdtInd!boolean OpngBookdBal!Amount
        ClsgBookdBal!Amount BookgDtTm!Instant SttlmCycl:Window_or_empty IntrBkSttlmDt:date_or_empty
        TtlCdtNtries:Amount TtlDbtNtries:Amount LossAmt:Amount UncvrdAmt:Amount""",
    "camt.060": "Ccy!Currency ElctrncSeqNb!integer",
}


def _fields(table: str) -> dict[str, tuple[str, bool]]:
    found = {}
    for row in table.split():
        name, need, type_ = re.split("([!:])", row, maxsplit=1)
        found[name] = (type_.replace("_", " "), need == "!")
    return found


FIELDS = {name: _fields(table) for name, table in _TABLES.items()}
# Of what may be left out, by field or by type; else nothing or 0.
DEFAULTS: dict[str, Any] = {
    "RtrRsnCd": "CUST",
    "Channel": "STATIC",
    "MCC": "0000",
    "Id": "0" * 32,
    "Currency": "CNY",
    "Node or null": None,
}
DEFAULTS |= {
    "object": {},
    "true or false": False,
    "WhlInd": True,
    "Hops": [],
    "at most 4 digests": [],
    "CmplntAct": None,
    "CmplntTp": "OTHR",
    "HldAct": None,
    "facts or null": None,
}
OUR_ID = {
    "pacs.008": "TxId",
    "pacs.002": "OrgnlTxId",
    "pacs.028": "OrgnlTxId",
    "pacs.004": "RtrId",
    "pain.013": "PmtInfId",
    "pain.014": "OrgnlPmtInfId",
    "hutong.consult": "CnsltId",
    "hutong.resolve": "CnsltId",
}


def described() -> dict[str, Any]:
    """Types and messages as data: what `docs/scheme/messages.json` says."""
    messages = {
        type_of: {name: {"type": type_, "must": must} for name, (type_, must) in fields.items()}
        for type_of, fields in FIELDS.items()
    }
    return {"types": TYPES, "messages": messages}


def problems_of(message: Any) -> list[str]:
    """What is wrong with a message that came, by the page's tables; nothing for a good one."""
    if not isinstance(message, dict) or message.get("MsgTp") not in FIELDS:
        return ["no message of the scheme"]
    type_of = message["MsgTp"]
    found = [] if next(iter(message)) == "MsgTp" else [f"{type_of}: MsgTp is not its first field"]
    for name, (type_, needed) in FIELDS[type_of].items():
        if name not in message:
            found += [f"{type_of}: {name} is missing"] if needed else []
        elif not fits(message[name], TYPES[type_]):
            found.append(f"{type_of}: {name} is no {type_}")
    return found


def merchant_problems(facts: Any) -> list[str]:
    """What is wrong with what is said of a merchant (`MrchntFcts`), by the page; nothing of good facts, and of none."""
    if facts is None:
        return []
    if not isinstance(facts, dict):
        return ["MrchntFcts is no object"]
    types = {"MrchntId": "Text35", "StrId": "Text35", "TwnNm": "Text140", "SmllInd": "true or false"}
    found = [f"{name} is no {type_}" for name, type_ in types.items() if not fits(facts.get(name, ""), TYPES[type_])]
    words = facts.get("Wrds", [])
    if not isinstance(words, list) or len(words) > 16 or not all(fits(each, TYPES["Text140"]) for each in words):
        found.append("Wrds is no list of at most 16 of Text140")
    return found + ([] if facts.get("MrchntId") else ["MrchntId is missing"])


def value_of(message: Message, name: str) -> Any:
    """A field's value, or its default where it may be left out."""
    type_ = FIELDS[message["MsgTp"]][name][0]
    default = DEFAULTS.get(name, DEFAULTS.get(type_, 0 if type_ in {"Amount", "Instant", "Bps"} else ""))
    return message.get(name, default)


def content_of(message: Message) -> dict[str, Any]:
    """Every field the page knows, defaults filled in: what two copies of one message have in common."""
    return {name: value_of(message, name) for name in FIELDS[message["MsgTp"]]}


def share_bps(amount: int, bps: int) -> int:
    """`round_half_up` of docs/scheme/fees.md."""
    return (amount * bps + 5_000) // 10_000


def credit_transfer(
    *, debtor_agent: str, creditor_agent: str, amount: int, expires_in_ms: int = 60_000, **said: Any
) -> Message:
    """A sound pacs.008 without fees; `said` replaces fields by their names on the wire."""
    at = now_ms()
    return {
        "MsgTp": "pacs.008",
        "TxId": new_id(),
        "EndToEndId": new_id(),
        "InstdAmt": amount,
        "Ccy": "CNY",
        "IntrBkSttlmAmt": amount,
        "FeeVrsn": "free-1",
        "LclInstrm": "STATIC",
        "MrchntCtgyCd": "5812",
        "DbtrAgt": debtor_agent,
        "CdtrAgt": creditor_agent,
        "AccptncDtTm": at,
        "XpryDtTm": at + expires_in_ms,
    } | said


def status(of: Message, code: str, **said: Any) -> Message:
    """A pacs.002 about a pacs.008 or a pacs.004."""
    is_return = of["MsgTp"] == "pacs.004"
    return {
        "MsgTp": "pacs.002",
        "OrgnlTxId": of["RtrId" if is_return else "TxId"],
        "OrgnlInstgAgt": of["CdtrAgt" if is_return else "DbtrAgt"],
        "TxSts": code,
    } | said


def completed(of: Message) -> Message:
    """The switch's yes."""
    return status(of, "ACSC", IntrBkSttlmDt="2026-01-01")


def rejected(of: Message, code: str = "MS03", name: str = "CREDITOR_AGENT_REJECTED") -> Message:
    """A no, the switch's or the other agent's."""
    return status(of, "RJCT", StsRsnCd=code, StsRsnPrtry=name)


def enquiry(of: Message) -> Message:
    return {"MsgTp": "pacs.028"} | {name: status(of, "PDNG")[name] for name in ("OrgnlTxId", "OrgnlInstgAgt")}


def payment_return(payment: Message, amount: int, **said: Any) -> Message:
    """A pacs.004 of so much of a payment that carried no fees and no discount."""
    at = now_ms()
    return {
        "MsgTp": "pacs.004",
        "RtrId": new_id(),
        "OrgnlTxId": payment["TxId"],
        "RtrdInstdAmt": amount,
        "Ccy": payment["Ccy"],
        "RtrdIntrBkSttlmAmt": amount,
        "DbtrAgt": payment["DbtrAgt"],
        "CdtrAgt": payment["CdtrAgt"],
        "AccptncDtTm": at,
        "XpryDtTm": at + 60_000,
    } | said


def recall(payment: Message, amount: int, **said: Any) -> Message:
    """A camt.056 that asks so much of a payment back, by its debtor agent."""
    at = now_ms()
    return {
        "MsgTp": "camt.056",
        "CxlId": new_id(),
        "Assgnr": payment["DbtrAgt"],
        "OrgnlTxId": payment["TxId"],
        "DbtrAgt": payment["DbtrAgt"],
        "CdtrAgt": payment["CdtrAgt"],
        "RclInstdAmt": amount,
        "Ccy": payment["Ccy"],
        "CxlRsnCd": "FRAD",
        "CreDtTm": at,
        "XpryDtTm": at + 72 * 3_600_000,
    } | said


def recall_answer(of: Message, stands: str, **said: Any) -> Message:
    """A camt.029: how a recall stands."""
    return {"MsgTp": "camt.029", "CxlId": of["CxlId"], "Assgnr": of["Assgnr"], "Conf": stands} | said


def complaint(payment: Message, act: str = "OPEN", number: int = 1, **said: Any) -> Message:
    """A hutong.complaint of a payment's payer."""
    told = {"CmplntTp": "RFND", "ReqdAmt": payment["InstdAmt"]} if act == "OPEN" else {}
    return {
        "MsgTp": "hutong.complaint",
        "CmplntId": new_id(),
        "OrgnlTxId": payment["TxId"],
        "DbtrAgt": payment["DbtrAgt"],
        "CdtrAgt": payment["CdtrAgt"],
        "ElctrncSeqNb": number,
        "CmplntAct": act,
        "ActId": new_id(),
        "Ccy": payment["Ccy"],
        "AddtlInf": "the soup was cold",
        "CreDtTm": now_ms(),
    } | (told | said)


def complained(of: Message, number: int, **said: Any) -> Message:
    """A turn of a complaint: the payer's opening, unless it says otherwise."""
    same = {name: of[name] for name in ("CmplntId", "OrgnlTxId", "DbtrAgt", "CdtrAgt", "ActId", "Ccy")}
    told = {"ElctrncSeqNb": number, "Pty": "DBTR", "CmplntAct": "OPEN", "CmplntSts": "PDNG", "CreDtTm": now_ms()}
    return {"MsgTp": "hutong.complained"} | same | told | said


def hold(code: str, creditor_agent: str, amount: int, **said: Any) -> Message:
    """A hutong.hold: a merchant asks to hold money of who showed a code."""
    return {
        "MsgTp": "hutong.hold",
        "HldId": new_id(),
        "CdtrAgt": creditor_agent,
        "ElctrncSeqNb": 0,
        "HldAct": "OPEN",
        "InstdAmt": amount,
        "Ccy": "CNY",
        "PmtCd": code,
        "CdtrNm": "conformance inn",
        "RmtInf": "deposit",
        "XpryDtTm": now_ms() + 900_000,
        "CreDtTm": now_ms(),
    } | said


def held(of: Message, debtor_agent: str, number: int, **said: Any) -> Message:
    """How a hold stands: held, unless it says otherwise."""
    same = {name: of[name] for name in ("HldId", "CdtrAgt", "Ccy")}
    told = {"DbtrAgt": debtor_agent, "ElctrncSeqNb": number, "HldSts": "HELD", "CreDtTm": now_ms()}
    return {"MsgTp": "hutong.held"} | same | told | said


def picture(of: Message, side: str, digest: str, offset: int = 0) -> Message:
    """A hutong.picture: one of the agents of a complaint asks for a piece."""
    same = {name: of[name] for name in ("CmplntId", "OrgnlTxId", "DbtrAgt", "CdtrAgt")}
    return {"MsgTp": "hutong.picture"} | same | {"Pty": side, "PictrDgst": digest, "PcOfst": offset}


def piece(of: Message, content: bytes, upto: int) -> Message:
    """The answer to one: the bytes of the picture from there up to another place."""
    told = base64.b64encode(content[of["PcOfst"] : upto]).decode()
    return of | {"MsgTp": "hutong.pictured", "PictrSz": len(content), "Pc": told}


def consult(code: str, debtor_agent: str, **said: Any) -> Message:
    return {"MsgTp": "hutong.consult", "CnsltId": new_id(), "Cd": code, "DbtrAgt": debtor_agent} | said


def request_to_pay(code: str, creditor_agent: str, amount: int, **said: Any) -> Message:
    return {
        "MsgTp": "pain.013",
        "PmtInfId": new_id(),
        "PmtCd": code,
        "InstdAmt": amount,
        "Ccy": "CNY",
        "LclInstrm": "PYMTCD",
        "MrchntCtgyCd": "5812",
        "CdtrAgt": creditor_agent,
        "CdtrNm": "Conformance Noodles",
        "XpryDtTm": now_ms() + 60_000,
    } | said
