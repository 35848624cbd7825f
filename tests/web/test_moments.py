"""Moments that a page without scripts says: as ``pages/dates.js`` does, in every language."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.web.conftest import LANGUAGES
from web.moments import moment

AT = datetime(2026, 12, 4, 13, 30, tzinfo=ZoneInfo("UTC"))
ZONE = ZoneInfo("Europe/Amsterdam")
TODAY = {
    "nl": "vandaag om\u00a014.30\u00a0uur",
    "en": "today at\u00a014:30",
    "de": "heute um\u00a014:30\u00a0Uhr",
    "fr": "aujourd\u2019hui à\u00a014\u00a0h\u00a030",
}
ANOTHER = {
    "nl": "vrijdag 4 december om\u00a014.30\u00a0uur",
    "en": "Friday 4 December at\u00a014:30",
    "de": "Freitag, 4. Dezember um\u00a014:30\u00a0Uhr",
    "fr": "vendredi 4 décembre à\u00a014\u00a0h\u00a030",
}
YEARS = {
    "nl": "4 december 2026 om\u00a0",
    "en": "4 December 2026 at\u00a0",
    "de": "4. Dezember 2026 um\u00a0",
    "fr": "4 décembre 2026 à\u00a0",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_moment_is_said_in_the_language_of_the_page(language: str) -> None:
    assert moment(AT, AT, ZONE, language) == TODAY[language]
    assert moment(AT, AT - timedelta(days=7), ZONE, language) == ANOTHER[language]
    assert YEARS[language] in moment(AT, AT + timedelta(days=60), ZONE, language)
