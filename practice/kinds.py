"""All kinds of records that there are."""

from typing import Final

from practice.accounts.records import PRACTITIONERS
from practice.agenda.records import APPOINTMENTS
from practice.sentences.records import SENTENCES
from vault.records.records import Kinds

KINDS: Final = Kinds(PRACTITIONERS, (APPOINTMENTS, SENTENCES))
