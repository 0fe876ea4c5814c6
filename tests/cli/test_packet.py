"""`hutong packet verify`: what was promised is found, and what differs is named."""

from pathlib import Path

import msgspec
import pytest

from hutong.cli.main import run
from hutong.kernel.ids import id_text
from hutong.marketing.red_packets.red_packet import ClaimState, PacketState
from hutong.marketing.red_packets.split import SplitKind, commitment, shares
from hutong.marketing.red_packets.verification import PacketRecord
from hutong.marketing.red_packets.views import PacketView, ShareView

ID = 0x0193_5B3A_0000_1234_5678_9ABC_DEF0_1200
SEED = bytes(range(32))
SPLIT = shares(SplitKind.LUCKY, 8_888, 6, ID, SEED)


def record(claimed: int = 6, **fields: object) -> PacketRecord:
    claims = [
        ShareView(number=at, name="*明", amount=SPLIT[at], state=ClaimState.PAID, claimed_at_ms=at)
        for at in range(claimed)
    ]
    packet = PacketView(
        packet_id=id_text("rpk", ID),
        sender_name="*明",
        kind=SplitKind.LUCKY,
        amount=8_888,
        count=6,
        currency="CNY",
        state=PacketState.EMPTY if claimed == 6 else PacketState.EXPIRED,
        claimed_count=claimed,
        claimed_amount=sum(SPLIT[:claimed]),
        commitment=commitment(ID, SEED).hex(),
        seed=SEED.hex(),
        created_at_ms=0,
        expires_at_ms=1,
    )
    return PacketRecord(packet=msgspec.structs.replace(packet, **fields), shares=claims)


def verified(directory: Path, told: PacketRecord, *more: str) -> int:
    file = directory / "record.json"
    file.write_bytes(msgspec.json.encode(told))
    return run(["packet", "verify", str(file), *more])


def test_a_packet_that_was_split_as_promised_is_found_to_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verified(tmp_path, record(), "--promised", commitment(ID, SEED).hex().upper()) == 0
    assert "Yes: it was split as promised." in capsys.readouterr().out
    assert verified(tmp_path, record(claimed=2), "--json") == 0
    assert '"verified":true' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("told", "says"),
    [
        (record(seed=bytes(32).hex()), "the seed is the one committed to"),
        (record(seed="", state=PacketState.OPEN), "the seed is told"),
        (record(claimed_amount=8_887), "claims add up"),
        (record(amount=8_889), "the shares add up to the packet"),
        (record(count=5), "no more was claimed"),
    ],
)
def test_what_differs_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], told: PacketRecord, says: str
) -> None:
    assert verified(tmp_path, told) == 1
    assert f"differs {says}" in capsys.readouterr().out


def test_a_share_that_went_to_another_place_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = record()
    first, second, *rest = told.shares
    swapped = [
        msgspec.structs.replace(first, amount=second.amount),
        msgspec.structs.replace(second, amount=first.amount),
        *rest,
    ]
    assert verified(tmp_path, msgspec.structs.replace(told, shares=swapped)) == 1
    assert "differs share 1 of 6" in capsys.readouterr().out
    assert verified(tmp_path, record(), "--promised", "00") == 1


def test_what_is_no_record_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    odd = tmp_path / "odd.json"
    odd.write_bytes(b'{"packet": 1}')
    assert run(["packet", "verify", str(odd)]) == 1
    assert "PACKET_RECORD_UNREADABLE" in capsys.readouterr().err
