"""From a node's description to its software on a machine: services, transport, API, server."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from litestar.types import ControllerRouterHandler

from hutong import __version__
from hutong.app.code_gateway import CodeGateway
from hutong.app.gateway_callbacks import GatewayCallbacks
from hutong.app.gateways import gateways_of
from hutong.app.health import Health
from hutong.app.host import Build, Machine, Node
from hutong.app.marketing import marketing_handlers, marketing_of
from hutong.app.metrics import NodeMetrics, metrics_api
from hutong.app.neighbours import neighbours, wallets, written_elsewhere
from hutong.app.network import Network, NodeKind, NodeSpec
from hutong.app.outbox import shown_codes_api
from hutong.app.red_packets import gift_of, hot_claims, red_packet_routes, red_packets_of
from hutong.app.sandbox_clock import clock_api
from hutong.app.secrets import KEY_FOR_EVER_NS
from hutong.app.site import Connect, Connection, Site, SiteReason
from hutong.codes.code import CodeReason
from hutong.codes.code_form import read_form
from hutong.gateways.gateways import Gateways
from hutong.gateways.metrics import gateway_metrics
from hutong.gateways.notification_lanes import Places
from hutong.gateways.notification_worker import NotificationWorker
from hutong.institution.api import institution_api
from hutong.institution.approval_service import register_approvals
from hutong.institution.bills.api import bills_api
from hutong.institution.bills.repository import PgBills
from hutong.institution.bills.sale_repository import PgSales
from hutong.institution.bills.service import BillService
from hutong.institution.books.api import books_api
from hutong.institution.books.service import BookService
from hutong.institution.chart import Chart
from hutong.institution.door_api import operator_guard
from hutong.institution.merchants.register_repository import PgMerchantRegister
from hutong.institution.merchants.register_service import RegisterService
from hutong.institution.metrics import institution_metrics, sides_of
from hutong.institution.node import InstitutionNode, InstitutionSettings
from hutong.institution.payments.hot_api import METHOD_AND_PATH, PayEndpoint
from hutong.institution.people.one_time_code_service import CodeSender
from hutong.institution.people.settings import PeopleSettings
from hutong.institution.reconciliation.api import reconciliation_api
from hutong.institution.reconciliation.repository import PgOwnBooks
from hutong.institution.reconciliation.service import ReconciliationService
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive
from hutong.kernel.money import Currency
from hutong.ledger.repository import PgAllAccounts
from hutong.operators import guard
from hutong.operators.service import Operators
from hutong.runtime.figures import HttpFigures
from hutong.runtime.http_app import make_app
from hutong.runtime.http_server import HttpServer
from hutong.runtime.journal import durable
from hutong.runtime.metrics import Sample, Source
from hutong.runtime.outbound import HttpPoster
from hutong.runtime.pool import WorkerPool
from hutong.runtime.rate_limit import RateLimited
from hutong.runtime.shelf import warmed
from hutong.scheme.clearing_file import ClearingFiles
from hutong.switch.api import FIRST_OPERATOR, switch_api
from hutong.switch.metrics import switch_metrics
from hutong.switch.node import SwitchNode
from hutong.switch.policy import ClearingPolicy
from hutong.switch.settlement.clearing_repository import PgClearingRepository
from hutong.switch.settlement.rules import Fund
from hutong.web.brand import Brand
from hutong.web.institution_desk.parts import DeskParts
from hutong.web.landing import Payee, landing_page
from hutong.web.page import Pages
from hutong.web.site import institution_pages, switch_pages
from hutong.web.wallet.red_packets import waiting_of

SWITCH_KINDS = ("runtime", "ledger", "switch")
INSTITUTION_KINDS = ("runtime", "ledger", "institution")
DRAIN_S = 10.0
_TOLD_S = 30.0  # Each gateway's protocol has a shorter patience of its own.
_ZONE = ZoneInfo("Asia/Shanghai")


def kinds_of(spec: NodeSpec) -> tuple[str, ...]:
    """The migrations a node's schema needs."""
    return SWITCH_KINDS if spec.kind is NodeKind.SWITCH else INSTITUTION_KINDS


def build_switch(site: Site, network: Network, connect: Connect) -> Build:
    """The switch: participants of the network's description are admitted when it starts."""

    async def build(machine: Machine, stack: AsyncExitStack) -> Node:
        switch = switch_on(machine, ClearingPolicy())
        connection = connect(machine, switch.receive, stack)
        machine.journal.post = connection.post
        site.node = switch  # What it takes up when it starts, it asks about: whoever posts looks up its participants.
        await switch.start()
        await introduce(switch, network)
        switch.clearing.figures.told = site.told_of("clearing")
        connection.begin()
        operators = Operators(
            switch.node, switch.audit, {FIRST_OPERATOR: site.secrets.operator_token}, two_person=site.two_person
        )
        handlers = [
            *switch_api(switch, operators, connection.verify),
            *switch_pages(
                switch,
                operators,
                _pages(site, machine, _ZONE),
                partial(neighbours, site, network),
                partial(written_elsewhere, site),
            ),
        ]
        domain = partial(switch_metrics, switch)
        # One institution without a key is its own trouble, and no reason to send the others elsewhere.
        await _serve(site, machine, stack, handlers, connection, operators, domain)
        return switch

    return build


def build_institution(site: Site, network: Network, connect: Connect, *, private_webhooks: bool) -> Build:
    """One institution; where it has no gateway for text messages, its operator is shown its one-time codes instead."""

    async def build(machine: Machine, stack: AsyncExitStack) -> Node:
        pool = WorkerPool()
        stack.callback(pool.close)
        poster = HttpPoster(private_allowed=private_webhooks)
        stack.push_async_callback(poster.close)
        settings = _settings(site, switch=network.switch.node, private_webhooks=private_webhooks)
        institution = InstitutionNode(
            machine.node,
            machine.ledger,
            settings,
            sender=await _code_sender(site, machine, stack),
            pool=pool,
            poster=poster,
        )
        connection = connect(machine, institution.receive, stack)
        machine.journal.post = connection.post
        institution.clearing_files = connection.files
        marketing = await marketing_of(institution, machine, settings)
        gateways = await gateways_of(site, institution, marketing)
        gateways.wallets = lambda code: [(each.name, each.href(code)) for each in wallets(site, network)]
        red_packets = red_packets_of(institution, site.secrets, site.spec.plate_base)
        await institution.start(stack)
        await red_packets.start()
        telling = _telling(site, gateways, stack, private=private_webhooks)
        site.node = institution
        for kind, side in sides_of(institution):
            side.figures.told = site.told_of(kind)
        connection.begin()
        assert connection.files is not None, "an institution's connection knows where its files are"
        reconciliation = reconciling(machine, institution.chart, connection.files, pool, network.switch.node)
        bills = _bills(machine, institution, settings.zone)
        desk = _desk(institution, machine, reconciliation)
        operator_only = operator_guard(machine.node, institution.people)
        pay = {METHOD_AND_PATH: PayEndpoint(machine.node, institution.people, institution.payments.debtor)}
        pages = _pages(site, machine, ZoneInfo(settings.zone))
        names = {spec.node: spec.name for spec in network.institutions}
        told, asked = gateways.desk(telling), (gateways.consents, gateways.sharing.transfers)
        beside = (*asked, gateways.account_edge, GatewayCallbacks(machine.journal, gateways.accounts, told), marketing)
        handlers = [
            *institution_api(institution),
            *gateways.people_api(),
            *red_packet_routes(institution, red_packets, pages, names),
            bills_api(machine.node, bills, institution.merchants),
            reconciliation_api(reconciliation, institution.people.operators.approvals, operator_only),
            books_api(desk.books, operator_only),
            landing_page(
                pages,
                site.spec.plate_base,
                partial(wallets, site, network),
                partial(gift_of, red_packets, partial(_payee, institution)),
                partial(_prepaid, institution, gateways),
            ),
            *institution_pages(institution, pages, bills, pool, names, desk, *beside, waiting=waiting_of(red_packets)),
            *gateways.routes_beside(told, operator_only),
            *marketing_handlers(marketing, pages, operator_only, site, names),
        ]
        if site.gateway is None:
            handlers.append(shown_codes_api(site.codes, operator_only))
        connection = replace(connection, hot={**connection.hot, **pay, **hot_claims(institution, red_packets)})
        domain = partial(_told_of, institution, telling)
        operators = institution.people.operators
        await _serve(site, machine, stack, handlers, connection, operators, domain, gateways.door)
        # Before the server drains: it would wait for those who wait for news.
        stack.callback(institution.notices.close)
        return institution

    return build


async def _told_of(institution: InstitutionNode, telling: NotificationWorker) -> Iterable[Sample]:
    return [*await institution_metrics(institution), *gateway_metrics(telling)]


def _telling(site: Site, gateways: Gateways, stack: AsyncExitStack, *, private: bool) -> NotificationWorker:
    """Tells merchants' software what it is to be told, from now on."""
    teller = HttpPoster(private_allowed=private, http_public=True, connections_max=2 * Places().all, timeout_s=_TOLD_S)
    stack.push_async_callback(teller.close)
    telling = gateways.begin(stack, teller)
    if site.clock is not None:
        site.clock.moved.append(telling.poke)
    return telling


def _desk(institution: InstitutionNode, machine: Machine, reconciliation: ReconciliationService) -> DeskParts:
    """What the institution's desk reads as a whole, and what takes two people there."""
    node, merchants = machine.node, institution.merchants
    register_approvals(institution.people.operators.approvals, merchants, reconciliation)
    register = RegisterService(node, merchants, PgMerchantRegister(machine.pool))
    statements, everything = institution.payments.statements, PgAllAccounts(machine.pool)
    books = BookService(node, machine.ledger, institution.chart, statements, everything)
    return DeskParts(institution, books, register, reconciliation)


def _bills(machine: Machine, institution: InstitutionNode, zone: str) -> BillService:
    """Merchants' bills, read off the rows."""
    rows = PgBills(machine.pool, zone, institution.chart.currency.alpha)
    return BillService(institution.payments, institution.requests, rows, PgSales(machine.pool), zone)


def switch_on(machine: Machine, policy: ClearingPolicy) -> SwitchNode:
    """The switch's services on a machine."""
    return SwitchNode(machine.node, machine.ledger, policy, PgClearingRepository(machine.pool))


def _pages(site: Site, machine: Machine, zone: ZoneInfo) -> Pages:
    brand = Brand(site.spec.node, site.spec.name, site.spec.colour)
    return Pages(brand, site.secrets.token_key, machine.node.randomness, zone, site.sandbox)


async def _code_sender(site: Site, machine: Machine, stack: AsyncExitStack) -> CodeSender:
    if site.gateway is None:
        return site.codes
    # The operator's own service: it may well be in the operator's own network.
    poster = HttpPoster(private_allowed=True)
    stack.push_async_callback(poster.close)
    return CodeGateway(machine.node, site.gateway, poster)


def reconciling(
    machine: Machine, chart: Chart, files: ClearingFiles, pool: WorkerPool, switch: str
) -> ReconciliationService:
    """An institution's reconciliation, on its own rows."""
    books = PgOwnBooks(machine.pool, chart)
    return ReconciliationService(machine.node, machine.ledger, chart, files, books, pool, switch=switch)


async def introduce(switch: SwitchNode, network: Network) -> None:
    """
    Admit the nodes of the description, with their keys, code forms, caps and reserves.

    Refuses:  KEY_CONFLICTS, for another key under a known id.
    Repeats:  nothing. What the operator did meanwhile stays: another name or address, a retired key, a form withdrawn or
              given to another, a node that left.
    """
    before = switch.node.journal.position
    rows = switch.admission.keys()
    known_keys = {(key.node_id, key.key_id, key.public_key) for key in rows}
    known_forms = {registered.form for registered in switch.admission.forms()}
    for spec in network.institutions:
        taken = switch.admission.describe(spec.node, spec.participant_id, spec.name, spec.url)
        if taken.is_going:
            continue
        for key in spec.public_keys:
            key_id, public_key = key.partition(":")[0], bytes.fromhex(key.partition(":")[2])
            if (spec.node, key_id, public_key) not in known_keys:
                switch.admission.add_key(spec.node, key_id, public_key, 0, KEY_FOR_EVER_NS)
        for form in spec.own_forms:
            if str(read_form(form)) not in known_forms:
                switch.admission.register_form(spec.node, form)
        if spec.cap_minor:
            # Of the description, so the same change each time: another start grants nothing more.
            change_id = derive(1 << 80, f"cap/{spec.node}/{spec.cap_minor}")
            switch.admission.grant_cap(change_id, spec.node, Currency.CNY, spec.cap_minor, then=lambda _: None)
        if spec.reserve_minor:
            change_id = derive(1 << 80, f"reserve/{spec.node}/{spec.reserve_minor}")
            await switch.reserves.top_up(
                change_id, spec.node, Currency.CNY, spec.reserve_minor, Fund.RESERVE, lambda _: None
            )
    if switch.node.journal.position != before:
        switch.audit.note("network description", "introduce", "", [spec.node for spec in network.institutions])
    await durable(switch.node.journal)


async def _payee(institution: InstitutionNode, code: str) -> Payee:
    """Whom a code of ours pays; refuses by name what can't be paid."""
    resolved = await warmed(institution.node.journal, lambda: institution.requests.resolve(code))
    if resolved is None:
        raise Refusal(CodeReason.CODE_UNKNOWN)
    return resolved.payee


async def _prepaid(institution: InstitutionNode, gateways: Gateways, prepay_id: str) -> str:
    """The code of an order that a merchant's app or page names by its prepay id; refuses ORDER_UNKNOWN."""
    return await warmed(institution.node.journal, partial(gateways.orders.code_of_prepay, prepay_id))


def _settings(site: Site, *, switch: str, private_webhooks: bool) -> InstitutionSettings:
    secrets = site.secrets
    return InstitutionSettings(
        people=PeopleSettings(
            token_key=secrets.token_key,
            pin_pepper=secrets.pin_pepper,
            older_pin_peppers=secrets.older_pin_peppers,
            sealing_keys=(secrets.sealing_key, *secrets.older_sealing_keys),
            payment_code_key=secrets.payment_code_key,
            payment_code_prefix=site.spec.payment_code_prefix,
            plate_base=site.spec.plate_base,
            operators={"operator": secrets.operator_token},
            two_person=site.two_person,
        ),
        merchant_pepper=secrets.merchant_pepper,
        webhooks_private=private_webhooks,
        switch=switch,
    )


async def _serve(
    site: Site,
    machine: Machine,
    stack: AsyncExitStack,
    handlers: Sequence[ControllerRouterHandler],
    connection: Connection,
    operators: Operators,
    domain: Source,
    in_front: Callable[[Any], Any] | None = None,
) -> None:
    """Serve; `in_front` is what an institution has before its own API. The switch needs no peers to be ready."""
    await operators.approvals.start()  # What was approved and not done when the node stopped is done now.
    health = Health(
        machine,
        connection.keyless if in_front is not None else tuple,
        bool if site.moving_in is None else site.moving_in.lasts,
    )
    figures = HttpFigures()
    own = NodeMetrics(site.spec.node, machine, health, figures, connection.links, connection.keyless)
    # A look at figures changes nothing and shows nobody's data: the audit log need not grow with each scrape.
    viewers = guard.operator_guard(machine.node, operators, reads_noted=False)
    handlers = [*handlers, *([] if site.clock is None else [clock_api(site.clock, viewers)])]
    app = make_app(
        [*handlers, metrics_api([own.samples, domain], viewers)],
        title=f"{site.spec.name} ({site.spec.node})",
        version=__version__,
        checks=health.checks,
    )
    whole: Any = app if in_front is None else in_front(app)
    limited: Any = RateLimited(
        site.tracing.requests(whole) if site.tracing is not None else whole,
        site.limits,
        machine.node.clock,
        None if in_front is None else whole.refuse,
    )
    hot = connection.hot
    if site.moving_in is not None:
        words = None if in_front is None else whole.turn_away
        hot, limited = site.moving_in.hot(hot), site.moving_in.app(limited, words)
    between = machine.journal.between_decisions
    server = HttpServer(site.host, site.port, hot, limited, figures=figures, tls_door=site.lan, arriving=between)
    try:
        await server.start()
    except OSError as error:
        place = f"{site.host}:{site.port}"
        do = f"stop what listens there, or set HUTONG_HOST or HUTONG_PORT_{site.spec.node.upper()}"
        raise Refusal(SiteReason.ADDRESS_NOT_FREE, node=site.spec.node, address=place, said=error, do=do) from error
    site.port = server.port

    async def stop() -> None:
        # Behind a journal that halted nothing is decided any more, so there is nothing to wait for.
        await server.stop(DRAIN_S if machine.journal.halt is None else 0)

    stack.push_async_callback(stop)
