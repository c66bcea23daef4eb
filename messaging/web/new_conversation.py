"""The page on which a conversation begins."""

from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts.web.base import WRITE, SignedInRequest, signed_in
from accounts.web.faces import Person
from accounts.web.forms import NamingForm
from messaging.web.conversation_forms import DirectForm, GroupForm
from messaging.web.inbox_context import inbox_beside


@signed_in(*WRITE)
def new_conversation(request: SignedInRequest) -> HttpResponse:
    """Start a conversation with one person, or make a group, and go there."""
    forms: dict[str, NamingForm] = {"direct": DirectForm(), "group": GroupForm()}
    kind = request.POST.get("kind", "direct")
    if request.method == "POST" and kind in forms:
        forms[kind] = type(forms[kind])(request.POST)
        if forms[kind].carry_out(by=request.user):
            return redirect("conversation", forms[kind].result.pk)
    return _render(request, forms)


def _render(request: SignedInRequest, forms: dict[str, NamingForm]) -> HttpResponse:
    context = {
        "inbox": inbox_beside(by=request.user),
        **{f"{kind}_form": form for kind, form in forms.items()},
        **{f"{kind}_offered": [Person.of(each) for each in form.offered] for kind, form in forms.items()},
    }
    status = max((form.status for form in forms.values() if form.is_bound), default=200)
    return render(request, "conversations/new.html", context, status=status)
