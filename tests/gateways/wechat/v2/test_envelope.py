"""Before anybody looks at what a request wants: the order of checks, the vendor's words, and nothing moved by nonsense."""

from collections.abc import Callable
from typing import Any

import pytest
import pytest_asyncio

from hutong.gateways.wechat.v2 import document
from hutong.gateways.wechat.v2.dialect import V2Dialect
from hutong.gateways.wire import WireRequest
from tests.gateways.street import Street
from tests.gateways.wechat.v2.shop import ORDER, V2Shop, dialect_of, open_shop

pytestmark = pytest.mark.asyncio(loop_scope="module")


def unsigned(shop: V2Shop, **fields: Any) -> bytes:
    said = shop.names | {"nonce_str": "n", "sign": "0" * 32} | fields
    return document.write({name: text for name, text in said.items() if text is not None})


UNREADABLE: dict[str, tuple[Callable[[V2Shop], bytes], str]] = {
    "nothing": (lambda _: b"", "post数据为空"),
    "not UTF-8": (lambda shop: shop.body(ORDER).decode().encode("gbk"), "编码格式错误"),
    "not XML": (lambda _: b"{}", "XML格式错误"),
    "an entity": (lambda _: b'<!DOCTYPE x [<!ENTITY e "1">]><xml><mch_id>&e;</mch_id></xml>', "XML格式错误"),
    "no merchant": (lambda shop: unsigned(shop, mch_id=None), "mch_id参数格式错误"),
    "no number": (lambda shop: unsigned(shop, mch_id="M1"), "mch_id参数格式错误"),
    "nobody's number": (lambda shop: unsigned(shop, mch_id="1"), "商户号不存在"),
    "no signature": (lambda shop: unsigned(shop, sign=None), "签名错误"),
    "another signature": (unsigned, "签名错误"),
    "another way to sign": (lambda shop: unsigned(shop, sign_type="RSA"), "sign_type参数格式错误"),
    "too much": (lambda shop: shop.body(ORDER | {"detail": "x" * 70_000}), "XML格式错误"),
    # With a signature that is right.
    "a word for a number": (lambda shop: shop.body(ORDER | {"total_fee": "12.00"}), "total_fee参数格式错误"),
    "no amount": (lambda shop: shop.body(ORDER | {"total_fee": 0}), "total_fee参数格式错误"),
    "a negative amount": (lambda shop: shop.body(ORDER | {"total_fee": -1}), "total_fee参数格式错误"),
    "other digits": (lambda shop: shop.body(ORDER | {"total_fee": "１２"}), "total_fee参数格式错误"),
    "another currency": (lambda shop: shop.body(ORDER | {"fee_type": "USD"}), "fee_type参数格式错误"),
    "a long body": (lambda shop: shop.body(ORDER | {"body": "x" * 129}), "body参数长度有误"),
    "a long attach": (lambda shop: shop.body(ORDER | {"attach": "x" * 128}), "attach参数长度有误"),
    "a number with spaces": (lambda shop: shop.body(ORDER | {"out_trade_no": "T 1"}), "out_trade_no参数格式错误"),
    "a long number": (lambda shop: shop.body(ORDER | {"out_trade_no": "T" * 33}), "out_trade_no参数长度有误"),
    "another trade type": (lambda shop: shop.body(ORDER | {"trade_type": "WAP"}), "trade_type参数格式错误"),
    "no time": (lambda shop: shop.body(ORDER | {"time_expire": "20269999999999"}), "time_expire参数格式错误"),
    "a callback nowhere": (lambda shop: shop.body(ORDER | {"notify_url": "ftp://x"}), "notify_url参数格式错误"),
    "a page without a payer": (lambda shop: shop.body(ORDER | {"trade_type": "JSAPI"}), "JSAPI支付必须传openid"),
}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    **{f"no {name}": ({name: None}, "LACK_PARAMS") for name in ORDER},
    "no nonce": ({"nonce_str": None}, "LACK_PARAMS"),
    "an empty body": ({"body": ""}, "LACK_PARAMS"),
    "another's appid": ({"appid": "wx0123456789abcdef"}, "APPID_MCHID_NOT_MATCH"),
    "no appid there could be": ({"appid": "app"}, "APPID_NOT_EXIST"),
    "nobody's sub_mch_id": ({"sub_mch_id": "1"}, "MCHID_NOT_EXIST"),
    "an end too soon": ({"time_expire": "20260101000000"}, "PARAM_ERROR"),
    "too much money": ({"total_fee": 999_999_999_999}, "PARAM_ERROR"),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(street: Street) -> V2Shop:
    return await open_shop(street)


@pytest.mark.parametrize("name", UNREADABLE)
async def test_what_cannot_be_read_or_proved_is_told_so_unsigned(shop: V2Shop, name: str) -> None:
    make, words = UNREADABLE[name]
    said = await shop.post("/pay/unifiedorder", make(shop))
    assert said == {"return_code": "FAIL", "return_msg": words}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_refused_is_told_so_under_the_merchants_key(shop: V2Shop, name: str) -> None:
    fields, code = REFUSED[name]
    said = await shop.call("/pay/unifiedorder", **(ORDER | fields))
    assert (said["return_code"], said["result_code"], said["err_code"]) == ("SUCCESS", "FAIL", code)
    assert said["err_code_des"]
    assert (await shop.call("/pay/orderquery", out_trade_no="T-1"))["err_code"] == "ORDERNOTEXIST"


async def test_another_method_is_told_which_it_should_have_been(shop: V2Shop) -> None:
    said = document.read((await shop.house.client.get("/pay/unifiedorder")).content)
    assert said == {"return_code": "FAIL", "return_msg": "请使用post方法"}


async def test_what_is_no_path_of_the_vendors_is_none_here(shop: V2Shop) -> None:
    assert (await shop.house.client.post("/pay/unified", content=b"<xml/>")).status_code == 404


async def test_a_product_that_is_not_here_is_not_enabled(shop: V2Shop) -> None:
    built = dialect_of(shop.house).endpoints.values()
    for endpoint in built:
        if endpoint.handler is None and endpoint.path.startswith(("/pay/face", "/vehicle/", "/transit/")):
            said = await shop.call(endpoint.path)
            assert (said["result_code"], said["err_code"]) == ("FAIL", "NOAUTH"), endpoint.path


async def test_a_sandboxs_paths_are_nowhere_in_production(shop: V2Shop) -> None:
    dialect = dialect_of(shop.house)
    alone = V2Dialect(
        dialect.endpoints.values(),
        shop.house.node.journal,
        shop.house.gateways.accounts,
        shop.house.randomness,
        sandbox=False,
        private_urls=False,
    )
    for path in ("/sandboxnew/pay/getsignkey", "/sandboxnew/pay/micropay", "/xdc/apiv2getsignkey/sign/getsignkey"):
        request = WireRequest(method="POST", path=path)
        assert dialect.route(request) is not None
        assert alone.route(request) is None
