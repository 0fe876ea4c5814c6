"""`hutong`: the commands and where they are; each is imported when it is called, so that `--help` is quick."""

import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError, Parameter

from hutong import __version__

USAGE_WRONG, REFUSED, INTERRUPTED = 2, 1, 130

app = App(
    name="hutong",
    version=__version__,
    help="Hutong 互通: every wallet scans every code.",
    default_parameter=Parameter(show_default=False),
)
app.register_install_completion_command(help="Complete commands and options in this shell from now on.")

_NETWORK, _PERSON, _MERCHANT, _CODES = "A network", "As a payer", "As a merchant or operator", "Codes"
_COMMANDS = (
    (_NETWORK, "up", "network:up", "Bring up a whole network in this process; Ctrl-C stops it."),
    (_NETWORK, "serve", "network:serve", "Run one node in this process, as a TOML file describes it."),
    (_NETWORK, "keys", "network:keys", "Print a node's public keys; make its secrets if there are none."),
    (_NETWORK, "demo", "network:demo", "Bring up a network for a tour on real pictures, and check all of it."),
    (_NETWORK, "conform", "conform:conform", "Hold any participant or switch to docs/scheme, case by case."),
    (_NETWORK, "bench", "network:bench", "Measure this machine."),
    (_NETWORK, "audit", "operate:audit", "Recompute every invariant from the database, beside running nodes."),
    (_NETWORK, "simulate", "simulate:simulate", "Live a network through every fault, in virtual time, from a seed."),
    (_NETWORK, "backup", "operate:backup", "Copy the embedded database while it works."),
    (_NETWORK, "restore", "operate:restore", "Bring a backup of the embedded database back, to a moment."),
    (_NETWORK, "doctor", "doctor:doctor", "Say what is missing on this machine, and how to get it."),
    (_PERSON, "register", "session:register", "Become a user of an institution, signed in here."),
    (_PERSON, "login", "session:login", "Sign in as a user, or note a merchant's or an operator's token."),
    (_PERSON, "pay", "pay:pay", "Pay a code: from a picture file, or its text."),
    (_PERSON, "payment", "pay:payment", "How a payment stands."),
    (_PERSON, "pin", "session:pin", "Set the PIN, or change it."),
    (_PERSON, "receive", "pay:receive", "A personal code (个人码): a code to be paid by."),
    (_PERSON, "approve", "pay:approve", "Say yes to a till that scanned one's payment code and waits for the PIN."),
    (_PERSON, "payment-code", "wallet:payment_code", "Show a payment code (付款码), made here and offline."),
    (_PERSON, "link-bank", "wallet:link_bank", "Link one's account at a bank, for top-ups."),
    (_PERSON, "top-up", "wallet:top_up", "Bring money from a linked bank account into the wallet."),
    (_PERSON, "balance", "wallet:balance", "What is in the wallet."),
    (_PERSON, "statement", "wallet:statement", "What came and went."),
    (_MERCHANT, "onboard", "merchant:onboard", "Take a merchant on, as an institution's operator."),
    (_MERCHANT, "plate", "merchant:plate", "Hang up a plate, and write its picture."),
    (_MERCHANT, "charge", "merchant:charge", "Ask to be paid: show a code, or scan a payer's payment code."),
    (_MERCHANT, "pay-in", "merchant:pay_in", "Credit a user with money that came from outside, as the operator."),
    (_MERCHANT, "stuck", "stuck:stuck", "What is undecided for a while at a node, and whose turn it is."),
    (_MERCHANT, "bill", "bill:bill", "A merchant's day: what was sold and given back, every movement, as CSV."),
    (_MERCHANT, "refund", "merchant:refund", "Give back a payment, or a part of it."),
    (_MERCHANT, "trace", "recall:trace", "Where the money of a payment went."),
)
for _group, _name, _where, _help in _COMMANDS:
    app.command(f"hutong.cli.{_where}", name=_name, help=_help, group=_group)

_code = App(name="code", help="Make pictures of codes, and read them.", group=_CODES)
_code.command("hutong.cli.code:make", name="make", help="Write a text as a QR code: PNG, SVG, a plate for print.")
_code.command("hutong.cli.code:read", name="read", help="Read a picture's codes, or a code's text, and say what it is.")
app.command(_code)

_participant = App(name="participant", help="Who takes part, as the switch's operator sees it.", group=_MERCHANT)
for _name, _help in {
    "list": "Every node, its standing and its position.",
    "admit": "Let a certified applicant take part; or note a node's new name and address.",
    "suspend": "Admit nothing new from or to a node.",
    "resume": "Let a suspended node take part again.",
    "cap": "Raise a node's net debit cap, or take back what is unused of it.",
    "forms": "The code forms of a node; add one, or withdraw one.",
    "keys": "The keys of a node; add one, or retire one.",
}.items():
    _participant.command(f"hutong.cli.participant:{_name}_", name=_name, help=_help)
for _name, _help in {
    "apply": "Write an application, signed with the node's key: for the scheme's operator.",
    "take-application": "Take in an applicant's file.",
    "applications": "Who has applied, and how far each is.",
    "certify": "Attach what the conformance kit found.",
    "confirm-key": "Be the second person: confirm a key's fingerprint.",
    "reject": "Say no to an application.",
    "withdraw": "Note that an applicant wants it no more.",
    "show": "A participant's life: what is done, what is missing, what comes next.",
    "leave": "Begin a participant's way out.",
    "depart": "End it, once nothing is left.",
}.items():
    _participant.command(f"hutong.cli.lifecycle:{_name.replace('-', '_')}_", name=_name, help=_help)
app.command(_participant)


_settlement = App(
    name="settlement", help="Windows, reserves and statements, as the switch's operator.", group=_MERCHANT
)
for _name, _function, _help in (
    ("windows", "windows", "The newest windows: what is open, closed, settled, and what waits for what."),
    ("show", "show", "What a window came to, and how it was settled."),
    ("close", "close", "Close the open window before its time."),
    ("reserve", "reserve", "What a node prefunded; a top-up or withdrawal of it."),
    ("statement", "statement", "A node's settlement account; its files of a window."),
    ("default", "default", "Declare who does not cover what it owes in default."),
    ("look-again", "look_again", "Compare a halted window with the ledger once more."),
    ("proof", "proof", "Prove that the money is there: reserves, or with --node customers' money."),
    ("invoices", "invoices", "The scheme's invoices; issue a month's."),
    ("rules", "rules", "Cut-offs, caps of reserves, and who bears a loss."),
):
    _settlement.command(f"hutong.cli.settlement:{_function}", name=_name, help=_help)
app.command(_settlement)

_secrets = App(name="secrets", help="The file of a node's secrets on this machine.", group=_NETWORK)
_secrets.command("hutong.cli.secrets:show", name="show", help="Whether it is sealed, and what is in it, but no secret.")
_secrets.command("hutong.cli.secrets:renew", name="renew", help="Replace one of its secrets.")
_secrets.command("hutong.cli.secrets:rekey", name="rekey", help="Seal it with another key.")
app.command(_secrets)

_operator = App(name="operator", help="Who may run a node, and what each may do: with --node.", group=_MERCHANT)
for _name, _help in {
    "list": "Every operator of a node.",
    "appoint": "Name an operator, or give one another role; the new token is shown once.",
    "renew": "Give an operator another token; the old one is good no more.",
    "dismiss": "Let an operator do nothing any more.",
}.items():
    _operator.command(f"hutong.cli.operator:{_name}_", name=_name, help=_help)
app.command(_operator)

_person = App(name="person", help="What an institution keeps of a user, and forgetting: with --node.", group=_MERCHANT)
_person.command("hutong.cli.person:export", name="export", help="All that is kept of a user, as JSON.")
_person.command("hutong.cli.person:erase", name="erase", help="Forget a closed user, and keep the books.")
_person.command("hutong.cli.person:purge", name="purge", help="Delete the sealed identities whose time is over.")
app.command(_person)

_audit_log = App(name="audit-log", help="What operators did at a node, chained by hash.", group=_MERCHANT)
_audit_log.command("hutong.cli.audit_log:show", name="show", help="Who did what, newest last.")
_audit_log.command("hutong.cli.audit_log:head", name="head", help="The end of the chain, to be written down elsewhere.")
_audit_log.command(
    "hutong.cli.audit_log:verify", name="verify", help="Check the whole chain, against anchors if given."
)
app.command(_audit_log)

_reconcile = App(name="reconcile", help="An institution's books against the switch's: with --node.", group=_MERCHANT)
for _name, _help in {
    "run": "Compare a closed settlement window.",
    "show": "What came of comparing a window, and its cases.",
    "case": "One difference in full.",
    "correct": "Book what is missing, against the suspense account.",
    "enquire": "Ask the switch again how a pending line stands.",
    "settle": "Take a corrected difference out of suspense, with whom it concerns.",
    "explain": "Close a case without moving money, saying why.",
}.items():
    _reconcile.command(f"hutong.cli.reconcile:{_name}", name=_name, help=_help)
app.command(_reconcile)
_recall = App(name="recall", help="Fraud and mistakes: ask a payment back, and answer who asks.", group=_MERCHANT)
for _name, _help in {
    "open": "Ask for a payment back: as its payer, as the operator, or by a legal order.",
    "list": "What was asked back, and what is asked of us.",
    "show": "How one stands.",
    "answer": "Decide about what is asked of us, or about what a payer of ours reported.",
}.items():
    _recall.command(f"hutong.cli.recall:{_name}_", name=_name, help=_help)
app.command(_recall)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and leave with its exit code."""
    raise SystemExit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run one command; its exit code."""
    try:
        found = app(list(arguments), exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        said = " ".join(str(error).split())
        sys.stderr.write(f"hutong: {said} Try --help.\n")
        return USAGE_WRONG
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        from hutong.cli.output import said_no

        line = said_no(error, as_json="--json" in arguments)
        if line is None:
            raise
        sys.stderr.write(line + "\n")
        return REFUSED
    return found if isinstance(found, int) else 0


if __name__ == "__main__":
    main()
