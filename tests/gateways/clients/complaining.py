"""What a payer does with complaints, while a client plays the merchant."""

import asyncio
from typing import Any

from hutong.app.node_client import NodeRefused
from hutong.app.sample_payer import SamplePayer


async def complain(payer: SamplePayer, asked: dict[str, Any]) -> dict[str, Any]:
    """Complain of a payment, or say something in a complaint; how it stands, once that has arrived."""
    client = payer.wallet.client
    if "payment_id" in asked:
        id_ = payer.wallet.new_id("grv")
        said = {"complaint_id": id_, "payment_id": asked["payment_id"], "kind": asked["kind"], "text": asked["text"]}
        said |= {"amount": asked.get("amount", 0), "contact": "13800138000", "pictures": []}
        for picture in asked.get("pictures", ()):
            said["pictures"].append((await client.post("/v1/complaints/pictures", {"content": picture}))["picture"])
        await client.post("/v1/complaints", said)
    else:
        id_ = asked["complaint_id"]
        said = {"act_id": payer.wallet.new_id("act"), "text": asked.get("text", "")}
        await client.post(f"/v1/complaints/{id_}/{asked['act']}", said)
    for _ in range(100):
        found = await client.get(f"/v1/complaints/{id_}")
        if "sending" not in found:
            return dict(found)
        await asyncio.sleep(0.1)
    raise AssertionError(found)


async def grievance(payer: SamplePayer, asked: dict[str, Any]) -> dict[str, Any]:
    """A complaint as its payer sees it, once it stands as expected."""
    for _ in range(100):
        found = await payer.wallet.client.get(f"/v1/complaints/{asked['complaint_id']}")
        if found["state"] == asked["state"]:
            break
        await asyncio.sleep(0.1)
    shown = [name for turn in found["turns"] if turn["by"] == "CDTR" for name in turn.get("pictures", ())]
    return dict(found) | {"shown": [await _picture(payer, asked["complaint_id"], name) for name in shown]}


async def _picture(payer: SamplePayer, complaint_id: str, name: str) -> str:
    """A picture that the merchant showed, in base64, once it has come."""
    for _ in range(100):
        try:
            return str((await payer.wallet.client.get(f"/v1/complaints/{complaint_id}/pictures/{name}"))["content"])
        except NodeRefused as refused:
            if refused.reason != "PICTURE_ON_ITS_WAY":
                raise
        await asyncio.sleep(0.1)
    raise AssertionError(name)
