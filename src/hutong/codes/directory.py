"""The directory: which node owns a code."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from hutong.codes import code_form, scanned
from hutong.codes.additional_data import Template
from hutong.codes.code import CodeReason, Presented
from hutong.codes.code_form import ANY_TEMPLATE, ApplicationForm, CodeForm, DigitsForm, EmvcoForm, UrlForm
from hutong.codes.consumer_presented import ConsumerPresentedCode
from hutong.codes.link import Link
from hutong.codes.merchant_presented import MerchantPresentedCode, PrimitiveAccount
from hutong.codes.scanned import Digits, Scanned
from hutong.codes.upi import UpiLink, upi_link
from hutong.kernel.errors import Refusal


@dataclass(frozen=True, slots=True)
class Match:
    """Whose code it is, by which of their forms, and what the form extracts: the account as its owner knows it."""

    node: str
    form: CodeForm
    value: str
    scanned: Scanned

    @property
    def presented(self) -> Presented:
        return code_form.presented(self.form)


@dataclass(slots=True)
class _Prefixes:
    """Prefixes of one kind of text; the longest that fits is found in as many steps as there are lengths."""

    form_of: dict[str, CodeForm] = field(default_factory=dict)
    lengths: list[int] = field(default_factory=list)  # Longest first.

    def add(self, prefix: str, form: CodeForm) -> None:
        self.form_of[prefix] = form
        if len(prefix) not in self.lengths:
            self.lengths = sorted([*self.lengths, len(prefix)], reverse=True)

    def remove(self, prefix: str) -> None:
        del self.form_of[prefix]
        self.lengths = sorted({len(known) for known in self.form_of}, reverse=True)

    def longest(self, text: str) -> CodeForm | None:
        for length in self.lengths:
            form = self.form_of.get(text[:length])
            if form is not None:
                return form
        return None


_NO_PATHS: dict[tuple[str, ...], _Prefixes] = {}


class Directory:
    """
    The code forms of every node, and the one that fits a code best.

    The answer depends on what is registered and not on the order: the longest pattern wins, among several accounts of
    one code, too, and of equals the lowest id; of a consumer's applications the one the payer prefers. Two forms that
    could both fit one code are nested or cross (two fields of one template). Either takes the operator's consent if they
    are of two nodes, whichever came first.
    """

    def __init__(self) -> None:
        self._node_of: dict[CodeForm, str] = {}
        self._families: dict[tuple[str, ...], set[CodeForm]] = {}  # Forms of two families never overlap.
        # By what selects the table in one step: scheme and authority; total length; template, identifier and path; none.
        self._urls: dict[tuple[str, str], _Prefixes] = {}
        self._digits: dict[int, _Prefixes] = {}
        self._emvco: dict[tuple[str, str | None], dict[tuple[str, ...], _Prefixes]] = {}
        self._applications = _Prefixes()

    def register(self, form: CodeForm, node: str, *, consented: bool = False) -> None:
        """
        Give the codes of `form` to `node`. `consented`: the operator has seen what it overlaps.

        Refuses:  FORM_TAKEN, if another node has the same pattern, consent or not; FORM_OVERLAPS without consent, naming
                  the forms of other nodes.
        Repeats:  nothing, for the node that has it.
        """
        if self._node_of.get(form) == node:
            return
        self.check(form, node, consented=consented)
        self._node_of[form] = node
        self._families.setdefault(form.family, set()).add(form)
        for prefixes, prefix in self._places(form):
            prefixes.add(prefix, form)

    def check(self, form: CodeForm, node: str, *, consented: bool = False) -> None:
        """Whether the node may have it. Refuses as `register`, and changes nothing."""
        if self._node_of.get(form) == node:
            return
        others = sorted((known for known in self._families.get(form.family, ()) if form.overlaps(known)), key=str)
        for known in others:
            if known == form or _same_where_both_fit(form, known):
                raise Refusal(CodeReason.FORM_TAKEN, form=str(form), by=str(known))
        foreign = [str(known) for known in others if self._node_of[known] != node]
        if foreign and not consented:
            raise Refusal(CodeReason.FORM_OVERLAPS, form=str(form), overlaps=foreign)

    def withdraw(self, form: CodeForm, node: str) -> None:
        """Take the codes of `form` from `node`. Refuses FORM_UNKNOWN if it does not have them."""
        if self._node_of.get(form) != node:
            raise Refusal(CodeReason.FORM_UNKNOWN, form=str(form))
        del self._node_of[form]
        self._families[form.family].remove(form)
        for prefixes, prefix in self._places(form):
            prefixes.remove(prefix)

    def forms(self, node: str) -> list[CodeForm]:
        """What `node` has, in the order of their texts."""
        return sorted((form for form, owner in self._node_of.items() if owner == node), key=str)

    def resolve(self, text: str) -> Match:
        """
        Whose code `text` is.

        Refuses:  CODE_UNKNOWN, if nobody has registered its form; what `scanned.read` refuses.
        """
        return self.resolve_scanned(scanned.read(text))

    def resolve_scanned(self, found: Scanned) -> Match:
        """As `resolve`, for a text that was read before."""
        match found.content:
            case Digits(text):
                match = self._match_digits(text)
            case Link():
                match = self._match_link(found.content)
            case UpiLink():
                match = self._match_link(upi_link(found.text))
            case MerchantPresentedCode():
                match = self._match_accounts(found.content)
            case ConsumerPresentedCode():
                match = self._match_applications(found.content)
        if match is None:
            raise Refusal(CodeReason.CODE_UNKNOWN)
        form, value = match
        return Match(self._node_of[form], form, value, found)

    def _places(self, form: CodeForm) -> Iterator[tuple[_Prefixes, str]]:
        """The tables that hold `form`, and under which prefix."""
        match form:
            case UrlForm(prefix):
                yield self._urls.setdefault((prefix.scheme, prefix.authority), _Prefixes()), prefix.rest
            case DigitsForm(prefix=digits):
                for length in form.lengths:
                    yield self._digits.setdefault(length, _Prefixes()), digits
            case EmvcoForm():
                by_path = self._emvco.setdefault((form.template_id, form.identifier), {})
                yield by_path.setdefault(form.path, _Prefixes()), form.value_prefix
            case ApplicationForm(prefix=aid):
                yield self._applications, aid

    def _match_digits(self, text: str) -> tuple[CodeForm, str] | None:
        prefixes = self._digits.get(len(text))
        form = None if prefixes is None else prefixes.longest(text)
        return None if form is None else (form, text)

    def _match_link(self, link: Link) -> tuple[CodeForm, str] | None:
        prefixes = self._urls.get((link.scheme, link.authority))
        form = None if prefixes is None else prefixes.longest(link.rest)
        if form is None:
            return None
        assert isinstance(form, UrlForm)
        return form, link.rest[len(form.prefix.rest) :]

    def _match_accounts(self, code: MerchantPresentedCode) -> tuple[CodeForm, str] | None:
        best: tuple[EmvcoForm, str] | None = None
        for account in code.accounts:
            fitting = self._fitting(account)
            heaviest = min(fitting, key=lambda match: (-match[0].weight, str(match[0])), default=None)
            if heaviest is not None and (best is None or heaviest[0].weight > best[0].weight):
                best = heaviest
        return best

    def _fitting(self, account: PrimitiveAccount | Template) -> Iterator[tuple[EmvcoForm, str]]:
        """The forms that fit one account, of each template, identifier and path the longest, and the value there."""
        identifier = account.guid.upper() if isinstance(account, Template) else ""
        for template_id in (account.id, ANY_TEMPLATE):
            for pattern in (identifier, code_form.suffix_pattern(identifier)):
                for path, prefixes in self._emvco.get((template_id, pattern), _NO_PATHS).items():
                    value = code_form.value_at(account, path)
                    form = None if value is None else prefixes.longest(value)
                    if form is not None and value is not None:
                        assert isinstance(form, EmvcoForm)
                        yield form, value

    def _match_applications(self, code: ConsumerPresentedCode) -> tuple[CodeForm, str] | None:
        for application in code.applications:
            aid = application.aid.hex().upper()
            form = self._applications.longest(aid)
            if form is not None:
                return form, aid
        return None


def _same_where_both_fit(one: CodeForm, other: CodeForm) -> bool:
    """Whether two forms are the same pattern to some codes, so that neither is longer: digits of common lengths."""
    return isinstance(one, DigitsForm) and isinstance(other, DigitsForm) and one.prefix == other.prefix
