"""The switch's rows."""

from hutong.runtime.tables import Table
from hutong.switch.fees import FeeSchedule
from hutong.switch.lifecycle.stage import Passage
from hutong.switch.participant import DescribedNode, Participant, ParticipantKey, RegisteredForm
from hutong.switch.payment import ClearedPayment, Decision, Returned

PAYMENTS = Table("cleared_payment", ClearedPayment)
DECISIONS = Table("decision", Decision)
RETURNED = Table("returned", Returned)
PARTICIPANTS = Table("participant", Participant)
PASSAGES = Table("passage", Passage)
DESCRIBED = Table("described_node", DescribedNode)
PARTICIPANT_KEYS = Table("participant_key", ParticipantKey)
CODE_FORMS = Table("code_form", RegisteredForm)
FEE_SCHEDULES = Table("fee_schedule", FeeSchedule)
