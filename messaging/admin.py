"""Admin pages of reports, attachments and jobs, and of messages without their texts."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.staff.admin_forms import MessageForm, ReasonForm
from accounts.staff.audit_log import Staff
from accounts.staff.model_admin import StaffAction, StaffAdmin, link_to
from messaging.models import Attachment, Message, MessageStatus, Report
from messaging.moderation import commands
from messaging.moderation.reports import resolve_report, unsealed
from messaging.moderation.transcripts import recipients_of


class NoteForm(forms.Form):
    words = forms.CharField(
        required=False, max_length=500, label="A note for the audit log", widget=forms.Textarea(attrs={"rows": 3})
    )


def _is_open(by: Staff, report: Report) -> bool:
    return report.resolved_at is None


def _is_open_about_a_message(by: Staff, report: Report) -> bool:
    return report.resolved_at is None and report.message_id is not None


def _can_be_quarantined(by: Staff, attachment: Attachment) -> bool:
    return attachment.blob is not None and attachment.blob.quarantined_at is None


def _is_quarantined(by: Staff, attachment: Attachment) -> bool:
    return attachment.blob is not None and attachment.blob.quarantined_at is not None


def _resolution(outcome: str, label: str, form: type[forms.Form], about: str, **options: Any) -> StaffAction:
    """Return the action that resolves a report, and all open reports about the same message or person."""

    def run(*, by: Staff, thing: Report, words: str) -> None:
        resolve_report(by=by, report_id=thing.pk, outcome=outcome, words=words)

    return StaffAction(outcome, label, run, form, about, **{"is_offered": _is_open, **options})


@admin.register(Report)
class ReportAdmin(StaffAdmin):
    list_display = ("created_at", "reason", "person", "reporter", "is_about_a_message", "outcome", "resolved_by")
    list_filter = (("resolved_at", admin.EmptyFieldListFilter), "reason", "outcome")
    search_fields = ("=person__username", "=reporter__username", "=message_id")
    list_select_related = ("person", "reporter", "resolved_by")
    ordering = ("resolved_at", "pk")
    fields = (
        "reason",
        "created_at",
        "person",
        "reporter",
        "comment_text",
        "copy_text",
        "said_at",
        "where",
        "outcome",
        "resolved_by",
        "resolved_at",
    )
    readonly_fields = ("comment_text", "copy_text", "where")
    staff_actions = (
        _resolution(
            "deleted",
            "Delete the message",
            NoteForm,
            "The message is deleted for everyone, and whoever reported it gets an answer.",
            danger=True,
            is_offered=_is_open_about_a_message,
        ),
        _resolution(
            "warned", "Warn the person", MessageForm, "They get your words, but they do not learn who reported it."
        ),
        _resolution(
            "suspended",
            "Suspend the person",
            MessageForm,
            "They can't sign in until you lift the suspension.",
            danger=True,
        ),
        _resolution(
            "dismissed", "Dismiss", NoteForm, "Nothing happens to the person; whoever reported it gets an answer."
        ),
    )

    @admin.display(boolean=True, description="a message")
    def is_about_a_message(self, report: Report) -> bool:
        return report.message_id is not None

    @admin.display(description="what the reporter says")
    def comment_text(self, report: Report) -> str:
        return unsealed(report, "comment") or "–"

    @admin.display(description="message")
    def where(self, report: Report) -> str:
        return link_to("messaging_message", report.message_id) if report.message_id else "–"

    @admin.display(description="what was said")
    def copy_text(self, report: Report) -> str:
        return unsealed(report, "copy") or "–"


@admin.register(Message)
class MessageAdmin(StaffAdmin):
    """The data of a message, without its text."""

    list_display = ("id", "conversation", "position", "sender", "kind", "created_at", "edited_at", "deleted_at")
    list_filter = ("kind",)
    search_fields = ("=id", "=conversation__id", "=sender__username")
    list_select_related = ("conversation", "sender")
    fields = (
        "conversation",
        "sender",
        "position",
        "version",
        "kind",
        "created_at",
        "edited_at",
        "deleted_at",
    )

    def more(self, request: HttpRequest, thing: Any) -> dict[str, Any]:
        return {"recipients": recipients_of(thing) if thing else []}


@admin.register(Attachment)
class AttachmentAdmin(StaffAdmin):
    """The data of uploaded files, without their names and contents."""

    list_display = ("id", "owner", "content_type", "size", "state", "is_quarantined", "created_at")
    list_filter = ("state", "content_type", ("blob__quarantined_at", admin.EmptyFieldListFilter))
    search_fields = ("=id", "=owner__username", "=message_id", "=conversation_id")
    list_select_related = ("owner", "blob")
    fields = ("owner", "content_type", "size", "state", "reason", "is_quarantined", "message_id", "created_at")
    readonly_fields = ("is_quarantined",)
    staff_actions = (
        StaffAction(
            "quarantine",
            "Put into quarantine",
            lambda by, thing, reason: commands.quarantine(by=by, attachment_id=thing.pk, reason=reason),
            ReasonForm,
            "Nobody can download it any more, in any conversation.",
            danger=True,
            is_offered=_can_be_quarantined,
        ),
        StaffAction(
            "release",
            "Take out of quarantine",
            lambda by, thing, reason: commands.release(by=by, attachment_id=thing.pk, reason=reason),
            ReasonForm,
            "People can download it again.",
            is_offered=_is_quarantined,
        ),
    )

    @admin.display(boolean=True, description="in quarantine")
    def is_quarantined(self, attachment: Attachment) -> bool:
        return bool(attachment.blob and attachment.blob.quarantined_at)


@admin.register(MessageStatus)
class MessageStatusAdmin(StaffAdmin):
    """Who has received or read which messages: a row covers a range of positions."""

    list_display = ("conversation", "user", "what", "after", "through", "at")
    list_filter = ("what",)
    search_fields = ("=conversation__id", "=user__username")
    list_select_related = ("conversation", "user")
    fields = ("conversation", "user", "what", "after", "through", "at")


@admin.register(ProcrastinateJob)
class JobAdmin(StaffAdmin):
    heading = "Jobs"
    list_display = ("id", "task_name", "status", "queue_name", "scheduled_at", "attempts")
    list_filter = ("status", "task_name")
    fields = ("task_name", "status", ("queue_name", "lock", "queueing_lock"), "args", "scheduled_at", "attempts")
