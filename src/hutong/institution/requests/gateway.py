"""Who else keeps something of a request: the gateway it came through."""

from typing import Any, Protocol

from hutong.institution.requests.request import PaymentRequest


class Gateway(Protocol):
    """Hears of its requests within the decisions that change them."""

    def look_up(self, request: PaymentRequest) -> None:
        """Bring into memory what `received` needs. May raise `Cold`."""
        ...

    def check_payer(self, request: PaymentRequest, payer: str) -> None:
        """
        Refuse whom the request is not for, before anything is written. `payer`: institution and reference of who is to pay;
        of a person of ours no institution, and our own id. May raise `Cold`.
        """
        ...

    def seen(self, request: PaymentRequest) -> None:
        """A wallet asks what it is to pay. Nothing is appended here: who asks is still looking things up."""
        ...

    def received(self, request: PaymentRequest, payment: Any) -> None:
        """The request was paid by this receipt, or payment on us, and the money is on the merchant's account."""
        ...


class NoGateway:
    """Where there is none, no request names one."""

    def look_up(self, request: PaymentRequest) -> None:
        raise AssertionError(request.door)

    def check_payer(self, request: PaymentRequest, payer: str) -> None:
        raise AssertionError(request.door, payer)

    def seen(self, request: PaymentRequest) -> None:
        raise AssertionError(request.door)

    def received(self, request: PaymentRequest, payment: Any) -> None:
        raise AssertionError(request.door, payment)
