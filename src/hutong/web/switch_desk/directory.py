"""Try a code: who owns it, by which form, and why that form and no other."""

import asyncio
from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.types import ControllerRouterHandler

from hutong.codes.code import CodeReason, Presented
from hutong.codes.code_form import ANY_TEMPLATE, ApplicationForm, CodeForm, DigitsForm, EmvcoForm, UrlForm, read_form
from hutong.codes.consumer_presented import ConsumerPresentedCode
from hutong.codes.directory import Directory, Match
from hutong.codes.link import Link
from hutong.codes.merchant_presented import MerchantPresentedCode
from hutong.codes.picture import read_picture
from hutong.codes.scanned import Content, Digits
from hutong.codes.upi import UpiLink
from hutong.kernel.errors import Refusal
from hutong.operators.guard import TAKES
from hutong.operators.operator import Role
from hutong.switch.node import SwitchNode
from hutong.web.language import Words, phrase
from hutong.web.operator import HOME, Desk
from hutong.web.page import AnyRequest

NAV = "directory"
_CODE_MAX = 2000
KINDS: dict[type[Content], str] = {
    MerchantPresentedCode: phrase("EMVCo code of a payee"),
    ConsumerPresentedCode: phrase("EMVCo code of a payer"),
    UpiLink: phrase("UPI link"),
    Link: phrase("Link of a plate"),
    Digits: phrase("Digits, as payment codes are"),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """Whose a code is, and why."""

    text: str
    kind: str
    shown_by: str
    match: Match
    name: str
    why: str
    beaten: list[tuple[str, str]]  # Forms that fit, too, and whose they are.


def directory_pages(desk: Desk, switch: SwitchNode) -> ControllerRouterHandler:
    """`/desk/directory`."""

    def page(request: AnyRequest, text: str, refusal: Refusal | None = None) -> Response[str]:
        answer = None
        if text and refusal is None:
            try:
                answer = _answer(desk.pages.words(request), switch, text)
            except Refusal as no:
                refusal = no
        names = {each.node_id: each.name for each in switch.admission.participants()}
        forms = [form for form in switch.admission.forms() if form.active]
        values: dict[str, Any] = {"answer": answer, "text": text, "forms": forms, "names": names}
        return desk.shown(request, "switch_desk/directory.html", NAV, refusal, **values)

    @get()
    async def show(request: AnyRequest) -> Response[str]:
        return page(request, "")

    @post(opt={TAKES: Role.VIEWER})
    async def try_code(request: AnyRequest) -> Response[str]:
        form = await desk.pages.form(request)
        text = form.text("code", length_max=_CODE_MAX)
        if text:
            return page(request, text)
        try:
            found = await asyncio.to_thread(read_picture, await desk.pages.upload(request, "picture"))
        except Refusal as refusal:
            return page(request, "", refusal)
        if not found:
            return page(request, "", Refusal(CodeReason.CODE_UNKNOWN))
        return page(request, found[0])

    return desk.router(f"{HOME}/directory", [show, try_code])


def _answer(said: Words, switch: SwitchNode, text: str) -> Answer:
    match = switch.admission.directory.resolve(text)
    names = {each.node_id: each.name for each in switch.admission.participants()}
    by_payee = match.presented is Presented.BY_MERCHANT
    return Answer(
        text=match.scanned.text,
        kind=said(KINDS[type(match.scanned.content)]),
        shown_by=said(phrase("the one who is paid")) if by_payee else said(phrase("the one who pays")),
        match=match,
        name=names.get(match.node, match.node),
        why=_why(said, match.form),
        beaten=_beaten(switch, match),
    )


def _why(said: Words, form: CodeForm) -> str:
    """What of the code the form looked at."""
    match form:
        case UrlForm(prefix):
            return said(phrase("It is a link that begins with %(prefix)s."), prefix=str(prefix))
        case DigitsForm():
            lengths = str(form.length_min)
            if form.length_min != form.length_max:
                lengths = f"{form.length_min}–{form.length_max}"
            return said(
                phrase("It has %(lengths)s digits and begins with %(prefix)s."), lengths=lengths, prefix=form.prefix
            )
        case EmvcoForm():
            return _why_emvco(said, form)
        case ApplicationForm(prefix):
            return said(phrase("It has an application whose identifier begins with %(prefix)s."), prefix=prefix)


def _why_emvco(said: Words, form: EmvcoForm) -> str:
    where = said(phrase("any of 26 to 51")) if form.template_id == ANY_TEMPLATE else form.template_id
    told = [said(phrase("It has a merchant account (template %(where)s)"), where=where)]
    if form.identifier:
        told.append(said(phrase("of %(identifier)s"), identifier=form.identifier))
    if form.value_prefix:
        path = ".".join(form.path) or "–"
        told.append(said(phrase("whose field %(path)s begins with %(prefix)s"), path=path, prefix=form.value_prefix))
    return " ".join(told)


def _beaten(switch: SwitchNode, match: Match) -> list[tuple[str, str]]:
    """Every other form that fits the code: the longest won."""
    found = []
    for registered in switch.admission.forms():
        if not registered.active or registered.form == str(match.form):
            continue
        alone = Directory()
        alone.register(read_form(registered.form), registered.node_id, consented=True)
        try:
            alone.resolve_scanned(match.scanned)
        except Refusal:
            continue
        found.append((registered.form, registered.node_id))
    return found
