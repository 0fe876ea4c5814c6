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

# What is typed, where it is and what it does, by where it is shown. A row without a place opens the group of those
# that begin with its word.
_COMMANDS = {
    "A network": (
        ("up", "network:up", "Bring up a whole network in this process; Ctrl-C stops it."),
        ("serve", "network:serve", "Run one node in this process, as a TOML file describes it."),
        ("keys", "network:keys", "Print a node's public keys; make its secrets if there are none."),
        ("demo", "network:demo", "Bring up a network for a tour on real pictures, and check all of it."),
        ("conform", "conform:conform", "Hold any participant or switch to docs/scheme, case by case."),
        ("bench", "network:bench", "Measure this machine."),
        ("audit", "operate:audit", "Recompute every invariant from the database, beside running nodes."),
        ("simulate", "simulate:simulate", "Live a network through every fault, in virtual time, from a seed."),
        ("backup", "operate:backup", "Copy the embedded database while it works."),
        ("restore", "operate:restore", "Bring a backup of the embedded database back, to a moment."),
        ("doctor", "doctor:doctor", "Say what is missing on this machine, and how to get it."),
        ("secrets", "", "The file of a node's secrets on this machine."),
        ("secrets show", "secrets:show", "Whether it is sealed, and what is in it, but no secret."),
        ("secrets renew", "secrets:renew", "Replace one of its secrets."),
        ("secrets rekey", "secrets:rekey", "Seal it with another key."),
    ),
    "As a payer": (
        ("register", "session:register", "Become a user of an institution, signed in here."),
        ("login", "session:login", "Sign in as a user, or note a merchant's or an operator's token."),
        ("pay", "pay:pay", "Pay a code: from a picture file, or its text."),
        ("payment", "pay:payment", "How a payment stands."),
        ("pin", "session:pin", "Set the PIN, or change it."),
        ("receive", "pay:receive", "A personal code (个人码): a code to be paid by."),
        ("approve", "pay:approve", "Say yes to a till that scanned one's payment code and waits for the PIN."),
        ("payment-code", "wallet:payment_code", "Show a payment code (付款码), made here and offline."),
        ("link-bank", "wallet:link_bank", "Link one's account at a bank, for top-ups."),
        ("top-up", "wallet:top_up", "Bring money from a linked bank account into the wallet."),
        ("balance", "wallet:balance", "What is in the wallet."),
        ("statement", "wallet:statement", "What came and went."),
    ),
    "As a merchant or operator": (
        ("onboard", "merchant:onboard", "Take a merchant on, as an institution's operator."),
        ("appoint", "merchant:appoint", "Invite an owner of a merchant, who signs in at the till and the console."),
        ("plate", "merchant:plate", "Hang up a plate, and write its picture."),
        ("charge", "merchant:charge", "Ask to be paid: show a code, or scan a payer's payment code."),
        ("pay-in", "merchant:pay_in", "Credit a user with money that came from outside, as the operator."),
        ("stuck", "stuck:stuck", "What is undecided for a while at a node, and whose turn it is."),
        ("bill", "bill:bill", "A merchant's day: what was sold and given back, every movement, as CSV."),
        ("refund", "merchant:refund", "Give back a payment, or a part of it."),
        ("trace", "recall:trace", "Where the money of a payment went."),
        ("participant", "", "Who takes part, as the switch's operator sees it."),
        ("participant list", "participant:list_", "Every node, its standing and its position."),
        (
            "participant admit",
            "participant:admit_",
            "Let a certified applicant take part; or note a node's new name and address.",
        ),
        ("participant suspend", "participant:suspend_", "Admit nothing new from or to a node."),
        ("participant resume", "participant:resume_", "Let a suspended node take part again."),
        ("participant cap", "participant:cap_", "Raise a node's net debit cap, or take back what is unused of it."),
        ("participant forms", "participant:forms_", "The code forms of a node; add one, or withdraw one."),
        ("participant keys", "participant:keys_", "The keys of a node; add one, or retire one."),
        (
            "participant apply",
            "lifecycle:apply_",
            "Write an application, signed with the node's key: for the scheme's operator.",
        ),
        ("participant take-application", "lifecycle:take_application_", "Take in an applicant's file."),
        ("participant applications", "lifecycle:applications_", "Who has applied, and how far each is."),
        ("participant certify", "lifecycle:certify_", "Attach what the conformance kit found."),
        ("participant confirm-key", "lifecycle:confirm_key_", "Be the second person: confirm a key's fingerprint."),
        ("participant reject", "lifecycle:reject_", "Say no to an application."),
        ("participant withdraw", "lifecycle:withdraw_", "Note that an applicant wants it no more."),
        (
            "participant show",
            "lifecycle:show_",
            "A participant's life: what is done, what is missing, what comes next.",
        ),
        ("participant leave", "lifecycle:leave_", "Begin a participant's way out."),
        ("participant depart", "lifecycle:depart_", "End it, once nothing is left."),
        ("settlement", "", "Windows, reserves and statements, as the switch's operator."),
        (
            "settlement windows",
            "settlement:windows",
            "The newest windows: what is open, closed, settled, and what waits for what.",
        ),
        ("settlement show", "settlement:show", "What a window came to, and how it was settled."),
        ("settlement close", "settlement:close", "Close the open window before its time."),
        ("settlement reserve", "settlement:reserve", "What a node prefunded; a top-up or withdrawal of it."),
        ("settlement statement", "settlement:statement", "A node's settlement account; its files of a window."),
        ("settlement default", "settlement:default", "Declare who does not cover what it owes in default."),
        ("settlement look-again", "settlement:look_again", "Compare a halted window with the ledger once more."),
        (
            "settlement proof",
            "settlement:proof",
            "Prove that the money is there: reserves, or with --node customers' money.",
        ),
        ("settlement invoices", "settlement:invoices", "The scheme's invoices; issue a month's."),
        ("settlement calendar", "settlement:calendar", "When windows close; announce a calendar."),
        ("settlement rules", "settlement:rules", "Cut-offs, caps of reserves, and who bears a loss; announce rules."),
        ("operator", "", "Who may run a node, and what each may do: with --node."),
        ("operator list", "operator:list_", "Every operator of a node."),
        (
            "operator appoint",
            "operator:appoint_",
            "Name an operator, or give one another role; the new token is shown once.",
        ),
        ("operator renew", "operator:renew_", "Give an operator another token; the old one is good no more."),
        ("operator dismiss", "operator:dismiss_", "Let an operator do nothing any more."),
        ("approval", "", "What takes two operators: with --node."),
        ("approval list", "approval:list_", "What waits for a decision."),
        ("approval propose", "approval:propose_", "Propose something for another operator to decide."),
        ("approval approve", "approval:approve_", "Have it done, now."),
        ("approval decline", "approval:decline_", "Say no to it; one's own is withdrawn."),
        ("person", "", "What an institution keeps of a user, and forgetting: with --node."),
        ("person export", "person:export", "All that is kept of a user, as JSON."),
        ("person erase", "person:erase", "Forget a closed user, and keep the books."),
        ("person purge", "person:purge", "Delete the sealed identities whose time is over."),
        ("audit-log", "", "What operators did at a node, chained by hash."),
        ("audit-log show", "audit_log:show", "Who did what, newest last."),
        ("audit-log head", "audit_log:head", "The end of the chain, to be written down elsewhere."),
        ("audit-log verify", "audit_log:verify", "Check the whole chain, against anchors if given."),
        ("reconcile", "", "An institution's books against the switch's: with --node."),
        ("reconcile run", "reconcile:run", "Compare a closed settlement window."),
        ("reconcile show", "reconcile:show", "What came of comparing a window, and its cases."),
        ("reconcile case", "reconcile:case", "One difference in full."),
        ("reconcile correct", "reconcile:correct", "Book what is missing, against the suspense account."),
        ("reconcile enquire", "reconcile:enquire", "Ask the switch again how a pending line stands."),
        ("reconcile settle", "reconcile:settle", "Take a corrected difference out of suspense, with whom it concerns."),
        ("reconcile explain", "reconcile:explain", "Close a case without moving money, saying why."),
        ("books", "", "An institution's ledger: with --node."),
        ("books account", "books:account", "An account's balances, now or then, and its newest transfers."),
        ("books trial-balance", "books:trial_balance", "What all accounts of each code come to, now or then."),
        ("application", "", "Merchants that applied to an institution: with --node."),
        ("application list", "application:list_", "Those nobody has decided about yet."),
        ("application approve", "application:approve", "Take a merchant on that applied."),
        ("application decline", "application:decline", "Don't take a merchant on, saying why."),
        ("invite", "", "Rewards for inviting: with --node."),
        ("invite show", "invite:show", "What inviting came to in a campaign; or one referral with its signals."),
        ("invite held", "invite:held", "Appeals that wait for an answer, and rewards on hold."),
        ("invite decide", "invite:decide", "Answer an appeal: pay it, or let the refusal stand."),
        ("recall", "", "Fraud and mistakes: ask a payment back, and answer who asks."),
        ("recall open", "recall:open_", "Ask for a payment back: as its payer, as the operator, or by a legal order."),
        ("recall list", "recall:list_", "What was asked back, and what is asked of us."),
        ("recall show", "recall:show_", "How one stands."),
        (
            "recall answer",
            "recall:answer_",
            "Decide about what is asked of us, or about what a payer of ours reported.",
        ),
        ("complaint", "", "Payers who are not content with a merchant, and what it answers."),
        ("complaint open", "complaint:open_", "Complain of a payment to a merchant."),
        ("complaint list", "complaint:list_", "What one complained of; with --desk all of an institution's merchants."),
        ("complaint show", "complaint:show", "One, with all that was said."),
        ("complaint say", "complaint:say", "Say more in a complaint of one's own; continue, withdraw or confirm it."),
        ("complaint picture", "complaint:picture", "Write a picture of a complaint to a file."),
        ("complaint received", "complaint:received", "As a merchant: what payers complain of."),
        ("complaint answer", "complaint:answer", "As a merchant: answer, decide about a refund, complete."),
    ),
    "Gateways": (
        ("gateway", "", "For merchants' software that speaks WeChat Pay's or Alipay's protocol."),
        ("gateway up", "gateway:up", "Serve the gateways, with --tls under the real names, and say how to get there."),
        ("gateway run", "gateway:run", "Run a program, unchanged, where the real names lead to the gateways."),
        ("gateway pay", "gateway_pay:pay", "Be a payer elsewhere: pay an order's code, or answer a till that asks."),
        ("gateway agree", "gateway_pay:agree", "Be a person elsewhere: let a merchant take, as a link of its asks."),
        ("gateway payment-code", "gateway_pay:payment_code", "Show that payer's payment code, for a till to scan."),
        ("gateway clock", "gateway_pay:clock", "What time it is in a network for trying out; put it forward."),
        ("gateway merchant", "", "A merchant's accounts at a gateway: with --for wechatpay or --for alipay."),
        ("gateway merchant create", "gateway_merchant:create", "Make every key and id, and print the configuration."),
        ("gateway merchant list", "gateway_merchant:list_", "The accounts of a merchant."),
        ("gateway merchant rotate", "gateway_merchant:rotate", "Another key pair, or with --secrets other API keys."),
        ("gateway merchant remove", "gateway_merchant:remove", "Let nobody in by an account any more."),
        (
            "gateway notifications",
            "gateway_notifications:notifications",
            "What an account was told by callback, what came back, and with --resend once more.",
        ),
        (
            "gateway faults",
            "gateway_notifications:faults",
            "Have calls and callbacks go wrong, in a network for trying out.",
        ),
    ),
    "Marketing": (
        ("packet", "", "Red packets (红包): sent, opened, and checked to be split as promised."),
        ("packet send", "packet:send", "Put money into a red packet, and print its link."),
        ("packet claim", "packet:claim", "Open a red packet by its link."),
        ("packet show", "packet:show", "The red packets one sent and what one got; or one of them, and who got what."),
        ("packet verify", "packet:verify", "Recompute who got what from the seed: of a file, or by its id."),
        ("campaign", "", "Discounts and rewards, and who pays for them: with --node, or as a --merchant."),
        ("campaign sponsor", "campaign:sponsor", "Note somebody who pays for campaigns."),
        ("campaign sponsors", "campaign:sponsors", "Who pays for campaigns, and what they have left for it."),
        ("campaign deposit", "campaign:deposit", "Money came in for a sponsor's budget; or went out of it."),
        ("campaign movements", "sponsor:movements", "What came into a sponsor's budget and went out of it."),
        ("campaign key", "sponsor:key", "Give a sponsor a key of its own: it sees what its money does, and is asked."),
        ("campaign keys", "sponsor:keys", "A sponsor's keys."),
        ("campaign revoke-key", "sponsor:revoke_key", "End a sponsor's key."),
        ("campaign create", "campaign:create", "Write a campaign down."),
        ("campaign list", "campaign:list_", "All campaigns."),
        ("campaign show", "campaign:show", "One campaign: its money, its rules and its budgets."),
        ("campaign terms", "campaign:terms", "Change its terms, from now on."),
        ("campaign versions", "campaign:versions", "Every version of its terms: what an award's version and row mean."),
        ("campaign start", "campaign:start", "Set its money aside and let it run; or let it go on."),
        ("campaign pause", "campaign:pause", "Give nothing until it is started again."),
        ("campaign end", "campaign:end", "End it for good: what is left goes back to its sponsors."),
        ("campaign awards", "campaign:awards", "What it gave, the newest first."),
        ("campaign effects", "programme:effects", "What it cost and brought, against those held out."),
        ("campaign segments", "campaign:segments", "What rules may ask of a person: segments, and the city."),
        ("campaign tags", "campaign:tags", "What rules may ask of a merchant, such as small."),
        ("campaign budget", "programme:budget", "As a merchant: what is set aside for campaigns; more, or less."),
        ("campaign programmes", "programme:programmes", "As a merchant: what others pay for."),
        ("campaign join", "programme:join", "As a merchant: take part in a programme."),
        ("campaign leave", "programme:leave", "As a merchant: take part no longer."),
        ("campaign shared", "programme:shared", "As a merchant: what one is asked to pay a part of."),
        ("campaign agree", "programme:agree", "As a merchant: pay one's part of a campaign, or not."),
        ("campaign takings", "programme:takings", "As a merchant: what campaigns brought and gave."),
        ("coupon", "", "Coupons: templates, stock and codes with --node or as a --merchant; one's own as a user."),
        ("coupon create", "coupon:create", "Make a template of coupons."),
        ("coupon list", "coupon:list_", "All templates."),
        ("coupon show", "coupon:show", "One template: what it gives, and how many were claimed."),
        ("coupon stock", "coupon:stock", "Let another number be claimed in all."),
        ("coupon pause", "coupon:pause", "Let none be claimed for now."),
        ("coupon resume", "coupon:resume", "Let them be claimed again."),
        ("coupon end", "coupon:end", "Let none be claimed any more, for good."),
        ("coupon codes", "coupon:codes", "Make codes, and write them down."),
        ("coupon batches", "coupon:batches", "The codes that were made, and how many were used."),
        ("coupon send", "coupon:send", "Send a coupon to a person."),
        ("coupon claims", "coupon:claims", "Who claimed coupons, and what became of them."),
        ("coupon offers", "coupon:offers", "What you may claim now."),
        ("coupon claim", "coupon:claim", "Claim a coupon, on offer or by its code."),
        ("coupon mine", "coupon:mine", "Your coupons."),
        ("coupon worth", "coupon:worth", "What each of your coupons would give a payment."),
        ("coupon give", "coupon:give", "Give a coupon to another person, once."),
        ("draw", "", "Daily random discounts (天天减): what is published, and that it was kept to."),
        ("draw show", "draw:show", "A campaign's rules and commitments, or a day's record, as published."),
        ("draw verify", "draw:verify", "Recompute a day's draws, or one's own, from what is published; offline."),
    ),
    "Codes": (
        ("code", "", "Make pictures of codes, and read them."),
        ("code make", "code:make", "Write a text as a QR code: PNG, SVG, a plate for print."),
        ("code read", "code:read", "Read a picture's codes, or a code's text, and say what it is."),
    ),
}
_groups = {"": app}
for _section, _rows in _COMMANDS.items():
    for _typed, _where, _help in _rows:
        _group, _, _name = _typed.rpartition(" ")
        _shown = None if _group else _section
        if _where:
            _groups[_group].command(f"hutong.cli.{_where}", name=_name, help=_help, group=_shown)
        else:
            _groups[_typed] = App(name=_name, help=_help, group=_shown)
            _groups[_group].command(_groups[_typed])


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
