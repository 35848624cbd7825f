"""Questions before a consult: made within bounds, answered as their kinds say, and kept in the appointment alone."""

from dataclasses import replace

import pytest

from practice.accounts.model import Language, Practitioner
from practice.agenda.ages import Age
from practice.agenda.guests import Invitee
from practice.agenda.model import Appointment
from practice.agenda.questions import MOST, Question, answers_to
from practice.agenda.visit import Visit
from practice.invitations.letter import letter
from practice.invitations.model import WORDS, Word
from practice.invitations.sms import message
from practice.invitations.wording import LANGUAGES
from practice.storage import Store
from tests.opening import of
from tests.people import alice, plan
from tests.practice.test_patients_letters import SENDER, parcel, read
from vault.errors import DomainError
from vault.records.scope import Scope

QUESTIONS = (
    Question("text", "Waar hebt u last van?", (), True),
    Question("number", "Temperatuur?"),
    Question("choice", "Rookt u?", ("nooit", "soms", "dagelijks")),
    Question("yesno", "Bent u zwanger?"),
    Question("date", "Sinds wanneer?"),
)
ANSWERS = ["hoofdpijn", "36,5", "soms", "no", "2027-02-01"]


async def chosen(store: Store) -> tuple[str, Appointment]:
    person = await alice(store)
    await store.questionnaires.write(of(person.id), " Intake ", QUESTIONS, 0)
    one = await plan(store, person)
    return person.id, await store.questionnaires.choose(of(person.id), one.id, "Intake")


async def visit(store: Store, one: Appointment, secret: str = "") -> Visit:
    found = await store.appointments.by_link(Scope.guest(one.id), secret or one.secret)
    assert found
    return found


async def test_answers_stand_in_the_appointment_and_go_with_it(sqlite_store: Store) -> None:
    store = sqlite_store
    me, one = await chosen(store)
    assert one.questions == QUESTIONS and one.answers == ()
    for typed in (ANSWERS, ["buikpijn", "", "", "", ""]):
        after = await store.questionnaires.answer(
            Scope.guest(one.id), one.secret, await visit(store, one), typed, one.version, held=False
        )
        one = after
    assert after.answers == ("buikpijn", "", "", "", "") and "buikpijn" not in repr(after)
    assert (await store.appointments.get(of(me), one.id)).answers == after.answers
    await store.questionnaires.write(of(me), "Intake", QUESTIONS[:1], 1)
    kept = await store.appointments.get(of(me), one.id)
    assert kept.questions == QUESTIONS, "what was asked stays as it was asked"
    assistant = Scope(None, me, "assistant", None, by="somebody")
    assert (await store.appointments.get(assistant, one.id)).answers == ()
    assert (await store.questionnaires.choose(of(me), one.id, "")).answers == ()
    await store.retention.destroy(of(me), one.id)
    with pytest.raises(DomainError, match="gone"):
        await store.appointments.get(of(me), one.id)


async def test_nobody_else_answers_and_nobody_once_it_has_begun(sqlite_store: Store) -> None:
    store = sqlite_store
    me, one = await chosen(store)
    scope = Scope.guest(one.id)

    async def answer(secret: str, *, held: bool = False) -> None:
        theirs = await visit(store, one, secret)
        seen = theirs.appointment.version
        await store.questionnaires.answer(scope, secret, theirs, ANSWERS, seen, held=held)

    for role in ("interpreter", "guardian"):
        guest = (await store.guests.add(of(me), one.id, Invitee("Maria", role, "nl"))).guests[-1]
        with pytest.raises(DomainError, match="forbidden"):
            await answer(guest.secret)
    await store.consents.say_age(of(me), one.id, Age("12-15"))
    await answer(guest.secret)
    with pytest.raises(DomainError, match="bad_state"):
        await answer(one.secret, held=True)
    await store.appointments.end(of(me), one.id)
    with pytest.raises(DomainError, match="ended"):
        await answer(one.secret)


async def test_an_answer_stands_under_the_question_that_was_read(sqlite_store: Store) -> None:
    store = sqlite_store
    me, one = await chosen(store)
    scope, read, turned = Scope.guest(one.id), await visit(store, one), list(reversed(ANSWERS))
    await store.questionnaires.write(of(me), "Andersom", QUESTIONS[::-1], 1)
    other = await store.questionnaires.choose(of(me), one.id, "Andersom")
    for typed in (ANSWERS, turned):
        with pytest.raises(DomainError, match="conflict"):
            await store.questionnaires.answer(scope, one.secret, read, typed, one.version, held=False)
    await store.questionnaires.answer(scope, one.secret, read, turned, other.version, held=False)
    with pytest.raises(DomainError, match="conflict"):
        await store.questionnaires.answer(scope, one.secret, read, turned, other.version, held=False)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        *((0, " "), (0, "n" * 1001), (1, "warm"), (1, "\u0663"), (1, "1.2.3")),
        *((2, "vaak"), (3, "ja"), (4, "2027-02-30"), (4, "1")),
    ],
)
def test_an_answer_of_another_kind_is_refused_with_its_place(number: int, text: str) -> None:
    typed = [*ANSWERS]
    typed[number] = text
    with pytest.raises(DomainError, match="invalid") as refused:
        answers_to(QUESTIONS, typed)
    assert refused.value.field == f"answer_{number}"


def test_numbers_are_kept_with_a_point_and_there_is_one_answer_for_each_question() -> None:
    assert answers_to(QUESTIONS, ANSWERS)[1] == "36.5"
    for typed in ([], ANSWERS[:-1], [*ANSWERS, ""], ["x"] * 500):
        with pytest.raises(DomainError, match="invalid") as refused:
            answers_to(QUESTIONS, typed)
        assert refused.value.field == "answers"


@pytest.mark.parametrize(
    ("questions", "field"),
    [
        ([QUESTIONS[0]] * (MOST + 1), "questions"),
        ([QUESTIONS[0]] * 500, "questions"),
        ([Question("text", " ")], "label"),
        ([Question("text", "l" * 201)], "label"),
        ([Question("choice", "Welke?", ("een",))], "choices"),
        ([Question("choice", "Welke?", tuple(map(str, range(21))))], "choices"),
        ([Question("text", "Welke?", ("een", "twee"))], "choices"),
        ([Question("face", "Welke?")], "kind"),  # type: ignore[arg-type]
    ],
)
async def test_what_cannot_be_asked_is_refused_and_changes_nothing(
    sqlite_store: Store, questions: list[Question], field: str
) -> None:
    me = of((await alice(sqlite_store)).id)
    with pytest.raises(DomainError, match="invalid") as refused:
        await sqlite_store.questionnaires.write(me, "Intake", questions, 0)
    assert refused.value.field == field
    assert (await sqlite_store.questionnaires.of(me)).version == 0


async def test_one_is_changed_by_one_at_a_time_and_goes_with_its_last_question(sqlite_store: Store) -> None:
    store, me = sqlite_store, of((await alice(sqlite_store)).id)
    await store.questionnaires.write(me, "Intake", QUESTIONS, 0)
    await store.questionnaires.write(me, "Controle", QUESTIONS[:1], 1)
    with pytest.raises(DomainError, match="conflict"):
        await store.questionnaires.write(me, "Intake", [], 1)
    left = await store.questionnaires.write(me, "Intake", [], 2)
    assert [one.name for one in left.questionnaires] == ["Controle"]
    with pytest.raises(DomainError, match="invalid"):
        await store.questionnaires.choose(me, (await plan(store, await by(store))).id, "Intake")


async def by(store: Store) -> Practitioner:
    found = await store.practitioners.by_mail(Scope.operator(), "alice@example.org")
    assert found
    return found


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_letter_and_no_text_message_has_a_question_or_an_answer(word: Word, language: Language) -> None:
    bare = parcel(word, language)
    told = replace(bare, appointment=replace(bare.appointment, questions=QUESTIONS, answers=tuple(ANSWERS)))
    assert message(told) == message(bare)
    _, parts = read(letter(told, SENDER))
    assert len(parts) == 3
    for text in parts.values():
        assert not [one for one in ("hoofdpijn", "36", "Waar hebt u last", "Rookt") if one in text]
