"""The switch's rows."""

from hutong.runtime.tables import Table
from hutong.switch.fees import FeeSchedule
from hutong.switch.participant import Participant, ParticipantKey, RegisteredForm
from hutong.switch.payment import ClearedPayment, Decision, Returned

PAYMENTS = Table("cleared_payment", ClearedPayment)
DECISIONS = Table("decision", Decision)
RETURNED = Table("returned", Returned)
PARTICIPANTS = Table("participant", Participant)
PARTICIPANT_KEYS = Table("participant_key", ParticipantKey)
CODE_FORMS = Table("code_form", RegisteredForm)
FEE_SCHEDULES = Table("fee_schedule", FeeSchedule)
