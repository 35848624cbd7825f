"""All kinds of records that there are."""

from typing import Final

from rooms.store.planned import APPOINTMENTS
from rooms.store.profile import PRACTITIONERS
from rooms.store.records import Kinds
from rooms.store.sentences import SENTENCES

KINDS: Final = Kinds(PRACTITIONERS, (APPOINTMENTS, SENTENCES))
