"""The rows of participants' lives."""

from hutong.runtime.tables import Table
from hutong.switch.lifecycle.application import ApplicationRow
from hutong.switch.lifecycle.certificate import CertificateRow
from hutong.switch.lifecycle.key import CeremonyRow

APPLICATIONS = Table("application", ApplicationRow)
CERTIFICATES = Table("certificate", CertificateRow)
CEREMONIES = Table("key_ceremony", CeremonyRow)
