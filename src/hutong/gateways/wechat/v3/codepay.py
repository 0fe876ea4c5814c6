"""Payment codes: the payer's code is scanned, their wallet pays or asks for the password; and taking it back."""

from functools import partial

from hutong.gateways.order import Dialect, OrderDraft, Trade, TradeState
from hutong.gateways.order_service import OrderService
from hutong.gateways.wechat.v3.endpoint import Call, Endpoint, accepted, ok
from hutong.gateways.wechat.v3.errors import Code, Fault
from hutong.gateways.wechat.v3.order_shapes import codepay_shape, reverse_shape
from hutong.gateways.wechat.v3.orders import (
    DIRECT_PREFIX,
    PARTNER_PREFIX,
    check_detail,
    content,
    order_facts,
    words,
)
from hutong.gateways.wechat.v3.parties import Parties
from hutong.gateways.wechat.v3.refusals import payer_fault
from hutong.gateways.wechat.v3.reversal import Reversal
from hutong.gateways.wechat.v3.shape import read_body
from hutong.gateways.wechat.v3.trade_view import appids, parties, trade_object
from hutong.gateways.wire import WireAnswer

PRODUCT = "MICROPAY"
_CODE_DIGITS = range(16, 25)  # The vendor's own have 18; a network's may be a little longer or shorter.
