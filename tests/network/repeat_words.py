"""What makes a repeat safe where no id of the caller's does, and which of these it is for the gateways' endpoints."""

STATE = "sets a state: again it is the same state and the same answer"
SPENT = "takes a one-time code or a PIN: again it is the same state, or a refusal by name"
ANSWER = "answers somebody's question once: again it is the same answer"
NOTHING = "writes nothing that anybody could meet twice"
RENEWS = "shows another token: who lost the answer asks again, and what was lost is good no more"
ON_PURPOSE = "sends again, or counts as another try, on purpose"

GATEWAYS = {
    "POST /v1/agreements/elsewhere/look": NOTHING,
    "POST /v1/agreements/elsewhere/sign": STATE,
    "POST /v1/agreements/offers/{agreement_id}/mandate": STATE,
    "POST /v1/agreements/{agreement_id}/end": STATE,
    "POST /v1/agreements/{agreement_id}/sign": SPENT,
    "POST /v1/gateway-accounts": "account_id",
    "POST /v1/gateway-accounts/{account_id}/keys": ON_PURPOSE,  # A certificate of its own each time; one can be retired.
    "POST /v1/gateway-accounts/{account_id}/keys/{serial}/retire": STATE,
    "POST /v1/gateway-accounts/{account_id}/remove": STATE,
    "POST /v1/gateway-accounts/{account_id}/secrets": RENEWS,
    "PUT /v1/gateway-accounts/{account_id}": STATE,
    "PUT /v1/gateway-accounts/{account_id}/complaint-url": STATE,
    "POST /v1/gateway-notifications/{notification_id}/resend": ON_PURPOSE,
    "POST /v1/operator/gateway-keys/{use}/renew": RENEWS,
    "POST /v1/operator/gateway-notifications/{notification_id}/resend": ON_PURPOSE,
    "POST /v1/operator/merchants/{merchant_id}/gateway-accounts": "account_id",
    "POST /v1/operator/merchants/{merchant_id}/gateway-accounts/{account_id}/keys": ON_PURPOSE,
    "POST /v1/operator/merchants/{merchant_id}/gateway-accounts/{account_id}/remove": STATE,
    "POST /v1/operator/merchants/{merchant_id}/gateway-accounts/{account_id}/secrets": RENEWS,
    "POST /v1/parking/plates": STATE,
    "POST /v1/preauths/{preauth_id}/agree": ANSWER,
    "POST /v1/preauths/{preauth_id}/decline": ANSWER,
    "POST /v1/transfers/{transfer_id}/decline": ANSWER,
    "POST /v1/transfers/{transfer_id}/take": ANSWER,
}

COUPONS = {
    "POST /v1/me/coupons": "coupon_id",
    "POST /v1/me/coupons/by-code": "coupon_id",
    "POST /v1/me/coupons/worth": NOTHING,
    "POST /v1/me/coupons/{coupon_id}/give": STATE,
    "POST /v1/operator/coupon-templates/{template_id}/send": "coupon_id",
} | {
    f"POST /v1/{whose}/coupon-templates{verb}": field
    for whose in ("merchant", "operator")
    for verb, field in {
        "": "template_id",
        "/{template_id}/codes": "batch_id",
        "/{template_id}/end": STATE,
        "/{template_id}/pause": STATE,
        "/{template_id}/resume": STATE,
        "/{template_id}/stock": STATE,
    }.items()
}

CAMPAIGNS = {
    "PUT /v1/me/draws/phrase": STATE,
    "POST /v1/merchant/budget/deposits": "deposit_id",
    "POST /v1/merchant/budget/withdrawals": "deposit_id",
    "POST /v1/merchant/campaigns": "campaign_id",
    "POST /v1/merchant/campaigns/{campaign_id}/end": STATE,
    "POST /v1/merchant/campaigns/{campaign_id}/pause": STATE,
    "POST /v1/merchant/campaigns/{campaign_id}/start": STATE,
    "PUT /v1/merchant/campaigns/{campaign_id}/terms": STATE,
    "POST /v1/merchant/programmes/{campaign_id}/join": STATE,
    "POST /v1/merchant/shared-campaigns/{campaign_id}/agree": STATE,
    "POST /v1/merchant/shared-campaigns/{campaign_id}/decline": STATE,
    "POST /v1/merchant/programmes/{campaign_id}/leave": STATE,
    "POST /v1/me/invitations": STATE,
    "POST /v1/me/invitations/accept": STATE,
    "POST /v1/me/invitations/{referral_id}/appeal": ANSWER,
    "POST /v1/operator/invitations/{referral_id}/grant": ANSWER,
    "POST /v1/operator/invitations/{referral_id}/uphold": ANSWER,
    "POST /v1/operator/campaigns": "campaign_id",
    "POST /v1/operator/campaigns/{campaign_id}/end": STATE,
    "POST /v1/operator/campaigns/{campaign_id}/pause": STATE,
    "POST /v1/operator/campaigns/{campaign_id}/start": STATE,
    "PUT /v1/operator/campaigns/{campaign_id}/terms": STATE,
    "PUT /v1/operator/merchants/{merchant_id}/tags": STATE,
    "POST /v1/operator/sponsors": "reference",
    "POST /v1/operator/sponsors/{sponsor_id}/deposits": "deposit_id",
    "POST /v1/operator/sponsors/{sponsor_id}/withdrawals": "deposit_id",
    "POST /v1/operator/sponsors/{sponsor_id}/keys": "key_id",
    "POST /v1/operator/sponsors/{sponsor_id}/keys/{key_id}/revoke": STATE,
    "POST /v1/sponsor/campaigns/{campaign_id}/agree": STATE,
    "POST /v1/sponsor/campaigns/{campaign_id}/decline": STATE,
    "POST /v1/sponsor/keys/{key_id}/revoke": STATE,
    "POST /v1/sponsor/keys/{key_id}/rotate": "rotation_id",
    "PUT /v1/operator/users/{user_id}/segments": STATE,
}

RED_PACKETS = {
    "POST /v1/me/red-packets": "packet_id",
    "POST /v1/me/red-packets/claims": STATE,  # Each person has one share: again it is the same.
    "POST /v1/me/red-packets/look": NOTHING,
}

MARKETING = CAMPAIGNS | COUPONS | RED_PACKETS

COMPLAINTS = {
    "POST /v1/complaints": "complaint_id",
    "POST /v1/complaints/pictures": STATE,  # It goes by its own digest.
    "POST /v1/merchant/complaints/pictures": STATE,
    "POST /v1/complaints/{complaint_id}/confirm": "act_id",
    "POST /v1/complaints/{complaint_id}/continue": "act_id",
    "POST /v1/complaints/{complaint_id}/say": "act_id",
    "POST /v1/complaints/{complaint_id}/withdraw": "act_id",
    "POST /v1/merchant/complaints/{complaint_id}/approve": "act_id",
    "POST /v1/merchant/complaints/{complaint_id}/complete": "act_id",
    "POST /v1/merchant/complaints/{complaint_id}/refuse": "act_id",
    "POST /v1/merchant/complaints/{complaint_id}/say": "act_id",
    "POST /v1/operator/complaints/{complaint_id}/disown": STATE,
    "POST /v1/operator/complaints/{complaint_id}/own": STATE,
    "POST /v1/operator/complaints/{complaint_id}/say": "act_id",
}
RECALLS = {
    "POST /v1/disputes/{dispute_id}/consent": ANSWER,
    "POST /v1/disputes/{dispute_id}/object": ANSWER,
    "POST /v1/merchant/disputes/{dispute_id}/consent": ANSWER,
    "POST /v1/merchant/disputes/{dispute_id}/object": ANSWER,
    "POST /v1/operator/disputes/{dispute_id}/accept": ANSWER,
    "POST /v1/operator/disputes/{dispute_id}/reject": ANSWER,
    "POST /v1/operator/recalls": "recall_id",
    "POST /v1/operator/recalls/{recall_id}/approve": ANSWER,
    "POST /v1/operator/recalls/{recall_id}/decline": ANSWER,
    "POST /v1/recalls": "recall_id",
}
