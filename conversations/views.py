"""The page on which a conversation begins."""

from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts.forms import CommandForm
from accounts.views import WRITE, SignedInRequest, signed_in
from conversations.forms import DirectForm, GroupForm
from messaging.rows import inbox_beside


@signed_in(*WRITE)
def new_conversation(request: SignedInRequest) -> HttpResponse:
    """Start a conversation with one person, or make a group, and go there."""
    forms: dict[str, CommandForm] = {"direct": DirectForm(), "group": GroupForm()}
    kind = request.POST.get("kind", "direct")
    if request.method == "POST" and kind in forms:
        forms[kind] = type(forms[kind])(request.POST)
        if forms[kind].carry_out(by=request.user):
            return redirect("conversation", forms[kind].result.pk)
    return _render(request, forms)


def _render(request: SignedInRequest, forms: dict[str, CommandForm]) -> HttpResponse:
    context = {"inbox": inbox_beside(by=request.user), "direct_form": forms["direct"], "group_form": forms["group"]}
    status = max((form.status for form in forms.values() if form.is_bound), default=200)
    return render(request, "conversations/new.html", context, status=status)
