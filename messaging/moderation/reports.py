"""Reports of messages and people: making them, and resolving them."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Annotated, Any, TypedDict
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import SERVICE_ID, User
from accounts.staff import moderation as people
from accounts.staff.audit_log import Action, Staff, record
from chatproject.core import rate_limits
from chatproject.core.encryption.sealing import seal, unseal, unseal_or_empty
from chatproject.core.errors import Conflict, Unprocessable
from chatproject.core.ids import uuid7
from chatproject.core.json_types import IdText, TimeText, one_of
from chatproject.core.rate_limits import quotas
from chatproject.core.realtime import timestamp
from chatproject.core.text import require_storable
from conversations.models import Conversation
from messaging.access import read_message
from messaging.messages.service_messages import send_service_message
from messaging.models import Message, Report
from messaging.moderation import commands

COMMENT_LENGTH = 1000
Outcome = Report.Outcome


def report_message(*, by: User, message_id: UUID, reason: str, comment: str = "") -> tuple[Report, bool]:
    """Report a message, with a sealed copy of its current text; also return whether the report is new.

    Message.DoesNotExist if the reporter may not read it, RateLimited after too many reports in a day.
    """
    message = read_message(by=by, message_id=message_id)
    if message.kind == Message.Kind.NOTICE or message.deleted_at is not None or message.body is None:
        raise Unprocessable("There is nothing to report here.", pointer="/message_id")
    where = {"row": message.pk, "conversation": message.conversation_id}
    copy = unseal(bytes(message.body), field="body", **where)
    about = {"conversation_id": message.conversation_id, "message_id": message.pk, "said_at": message.created_at}
    return _report(by, message.sender_id, reason, comment, copy, about)


def report_person(*, by: User, user: User, reason: str, comment: str = "") -> tuple[Report, bool]:
    """Report a person; also return whether the report is new."""
    return _report(by, user.pk, reason, comment, None, {"message_id": None})


def _report(
    by: User, person_id: UUID, reason: str, comment: str, copy: str | None, about: Mapping[str, Any]
) -> tuple[Report, bool]:
    if person_id in {by.pk, SERVICE_ID}:
        raise Unprocessable("You can't report yourself, or the place itself.")
    require_storable(comment, pointer="/comment")
    with rate_limits.charged(by.pk, (quotas.REPORTS, 1)) as charge:
        report, is_new = _store(by, person_id, reason, comment, copy, about)
    if not is_new:
        rate_limits.refund(charge)
    return report, is_new


@transaction.atomic
def _store(
    by: User, person_id: UUID, reason: str, comment: str, copy: str | None, about: Mapping[str, Any]
) -> tuple[Report, bool]:
    id = uuid7()
    report = Report(
        id=id,
        reporter=by,
        person_id=person_id,
        reason=reason,
        comment=_sealed(id, "comment", comment.strip()) if comment.strip() else None,
        copy=_sealed(id, "copy", copy) if copy is not None else None,
        **about,
    )
    Report.objects.bulk_create([report], ignore_conflicts=True)
    stored = Report.objects.get(reporter=by, person=person_id, message_id=about["message_id"], resolved_at=None)
    return stored, stored.pk == id


def _sealed(id: UUID, field: str, text: str) -> bytes:
    return seal(text, field=field, row=id, conversation=id)


def unsealed(report: Report, field: str) -> str:
    """Decrypt the `comment` or the `copy` of a report; empty if it has none."""
    sealed = getattr(report, field)
    if sealed is None:
        return ""
    return unseal_or_empty(bytes(sealed), field=field, row=report.pk, conversation=report.pk)


class ReportJSON(TypedDict):
    """A report, as its reporter sees it."""

    id: IdText
    user_id: IdText
    message_id: IdText | None
    reason: Annotated[str, one_of(*Report.Reason.values)]
    comment: str
    state: Annotated[str, one_of("open", "resolved")]
    outcome: Annotated[str, one_of(*Report.Outcome.values)] | None
    created_at: TimeText
    resolved_at: TimeText | None


def report_json(report: Report) -> ReportJSON:
    """Return a report as JSON for its reporter."""
    return {
        "id": str(report.pk),
        "user_id": str(report.person_id),
        "message_id": str(report.message_id) if report.message_id else None,
        "reason": report.reason,
        "comment": unsealed(report, "comment"),
        "state": "resolved" if report.resolved_at else "open",
        "outcome": report.outcome or None,
        "created_at": timestamp(report.created_at),
        "resolved_at": timestamp(report.resolved_at) if report.resolved_at else None,
    }


# Resolving reports


@transaction.atomic
def resolve_report(*, by: Staff, report_id: UUID, outcome: str, words: str = "") -> list[Report]:
    """Resolve a report and all open reports about the same message or person; each reporter gets an answer.

    If the person is warned or suspended, `words` are shown to them; otherwise they are the reason in the audit log.
    Conflict if the report was resolved before.
    """
    report = Report.objects.select_related("person").get(pk=report_id)
    # This holds for every outcome: nobody resolves a report about themselves, or about another member of the staff.
    by.require_authority_over(report.person)
    same = Report.objects.filter(person=report.person_id, message_id=report.message_id, resolved_at=None)
    open_ones = list(same.select_for_update(of=("self",)).select_related("reporter").order_by("pk"))
    if report not in open_ones:
        raise Conflict("This report was resolved already.")
    # Conversations are locked before people, as everywhere.
    for each in open_ones:
        each.resolved_at, each.resolved_by, each.outcome = timezone.now(), by.user, outcome
        each.save(update_fields=["resolved_at", "resolved_by", "outcome"])
        after = {"outcome": outcome}
        record(by=by, action=Action.RESOLVE_REPORT, kind="report", id=each.pk, reason=words.strip(), after=after)
        send_service_message([each.reporter], _answer(each, report.person))
    RESOLUTIONS[Outcome(outcome)](by, report, words)
    return open_ones


def _delete(by: Staff, report: Report, words: str) -> None:
    if report.message_id is None:
        raise Unprocessable("This report is about a person: there is no message to delete.", pointer="/outcome")
    # The message may have been deleted with its group or its partition already.
    with suppress(Message.DoesNotExist, Conversation.DoesNotExist):
        commands.delete_message(by=by, message_id=report.message_id, reason=words or report.get_reason_display())


def _warn(by: Staff, report: Report, words: str) -> None:
    commands.warn(by=by, user_id=report.person_id, text=words)


def _suspend(by: Staff, report: Report, words: str) -> None:
    people.suspend(by=by, user_id=report.person_id, reason=words)


def _dismiss(by: Staff, report: Report, words: str) -> None:
    pass


RESOLUTIONS: dict[Report.Outcome, Callable[[Staff, Report, str], None]] = {
    Outcome.DELETED: _delete,
    Outcome.WARNED: _warn,
    Outcome.SUSPENDED: _suspend,
    Outcome.DISMISSED: _dismiss,
}
ANSWERS = {
    Outcome.DELETED: "the message was deleted.",
    Outcome.WARNED: "the person was warned.",
    Outcome.SUSPENDED: "the person was suspended.",
    Outcome.DISMISSED: "nothing there breaks the rules of this place.",
}


def _answer(report: Report, person: User) -> str:
    about = f"a message of {person.name}" if report.message_id else person.name
    return f"You reported {about}. The people who run this place have looked at it: {ANSWERS[Outcome(report.outcome)]}"
