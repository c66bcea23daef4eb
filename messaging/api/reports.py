"""The REST door to reports."""

from rest_framework import serializers
from rest_framework.response import Response

from accounts.api.base import SignedIn
from accounts.people.references import find_user
from chatproject.rest.describe import described
from chatproject.rest.fields import IdField, StrictSerializer, TextField
from chatproject.rest.views import API, envelope, envelope_page, limit_of
from messaging.models import Report
from messaging.moderation import reports
from messaging.moderation.my_reports import list_reports
from messaging.moderation.reports import ReportJSON


class NewReport(StrictSerializer):
    """What is reported, a message or a person, and why."""

    message_id = IdField(required=False)
    user_id = IdField(required=False)
    reason = serializers.ChoiceField(choices=Report.Reason.choices)
    comment = TextField(required=False, allow_blank=True, max_length=reports.COMMENT_LENGTH, default="")

    def validate(self, attrs: dict[str, object]) -> dict[str, object]:
        if ("message_id" in attrs) == ("user_id" in attrs):
            raise serializers.ValidationError({"message_id": "Name either a message or a person."})
        return attrs


class ReportViewSet(API):
    """`/reports`."""

    @described("listReports", ReportJSON, pagination="cursor", query="limit cursor")
    def list(self, request: SignedIn) -> Response:
        """What I have reported, and what came of it."""
        limit, cursor = limit_of(request), request.query_params.get("cursor")
        return envelope_page(list_reports(by=request.user, limit=limit, cursor=cursor))

    @described("report", ReportJSON, status=201, also=200, body=NewReport, errors="404 422")
    def create(self, request: SignedIn) -> Response:
        """Ask the staff to look at a message or a person; 200 and the open report if that was done before."""
        said = self.body(request, NewReport)
        why = {"by": request.user, "reason": said["reason"], "comment": said["comment"]}
        if message_id := said.get("message_id"):
            report, is_new = reports.report_message(message_id=message_id, **why)
        else:
            report, is_new = reports.report_person(user=find_user({"id": said["user_id"]}, by=request.user), **why)
        return envelope(reports.report_json(report), 201 if is_new else 200)
