"""The admin pages of conversations, participants and invitation links; the lists never show messages."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from accounts.staff.admin_forms import ReasonForm
from accounts.staff.audit_log import Staff
from accounts.staff.model_admin import StaffAction, StaffAdmin
from conversations.models import Conversation, InviteLink, Participant
from messaging.moderation.commands import revoke_link
from messaging.moderation.connections import announce
from messaging.moderation.forms import AnnouncementForm
from messaging.moderation.transcripts import read_conversation


class InspectionForm(ReasonForm):
    before = forms.IntegerField(required=False, min_value=1, max_value=2**62, widget=forms.HiddenInput)


def _can_be_revoked(by: Staff, link: InviteLink) -> bool:
    return link.revoked_at is None


@admin.register(Conversation)
class ConversationAdmin(StaffAdmin):
    list_display = ("id", "kind", "name", "owner", "last_position", "created_at", "active_at")
    list_filter = ("kind",)
    search_fields = ("=id", "name", "=participants__user__username")
    list_select_related = ("owner",)
    fields = (
        "kind",
        "name",
        "description",
        "owner",
        "history",
        "version",
        "epoch",
        "last_position",
        "created_at",
    )
    staff_actions = (
        StaffAction(
            "announce",
            "Announce something",
            lambda by, thing, text: announce(by=by, text=text, conversation_id=thing.pk),
            AnnouncementForm,
            "Members who are connected see it now; it is not stored.",
        ),
        StaffAction(
            "read",
            "Break the glass: read the messages",
            lambda by, thing, reason, before: read_conversation(
                by=by, conversation_id=thing.pk, reason=reason, before=before
            ),
            InspectionForm,
            "Messages are private. The audit log records that you read them, and your reason.",
            danger=True,
            shows="admin/transcript.html",
        ),
    )

    def more(self, request: HttpRequest, thing: Any) -> dict[str, Any]:
        participants = (
            Participant.objects.filter(conversation=thing).select_related("user").order_by("left_at", "pk")[:1000]
        )
        return {"participants": participants}


@admin.register(Participant)
class ParticipantAdmin(StaffAdmin):
    list_display = ("user", "conversation", "role", "joined_at", "left_at", "delivered_through", "read_through")
    list_filter = ("role", ("left_at", admin.EmptyFieldListFilter))
    search_fields = ("=user__username", "=conversation__id")
    list_select_related = ("user", "conversation")
    fields = (
        "user",
        "conversation",
        "role",
        "joined_at",
        "left_at",
        "visible_from",
        "delivered_through",
        "read_through",
        "barred",
    )


@admin.register(InviteLink)
class InviteLinkAdmin(StaffAdmin):
    list_display = ("id", "conversation", "created_by", "created_at", "expires_at", "uses", "max_uses", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    search_fields = ("=id", "=conversation__id", "=created_by__username")
    list_select_related = ("conversation", "created_by")
    fields = (
        "conversation",
        "created_by",
        "created_at",
        "expires_at",
        "uses",
        "max_uses",
        "revoked_at",
    )
    staff_actions = (
        StaffAction(
            "revoke",
            "Revoke",
            lambda by, thing: revoke_link(by=by, link_id=thing.pk),
            about="Nobody can join by it any more.",
            is_offered=_can_be_revoked,
        ),
    )
