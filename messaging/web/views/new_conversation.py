"""The page that starts a direct conversation or a group."""

from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts.web.base import WRITE, SignedInRequest, signed_in
from accounts.web.people_forms import NamingForm
from accounts.web.person_view import Person
from messaging.web.contexts.inbox import inbox_sidebar
from messaging.web.forms.new_conversation import DirectForm, GroupForm


@signed_in(*WRITE)
def new_conversation(request: SignedInRequest) -> HttpResponse:
    """Start a direct conversation or make a group, and redirect to it."""
    forms: dict[str, NamingForm] = {"direct": DirectForm(), "group": GroupForm()}
    kind = request.POST.get("kind", "direct")
    if request.method == "POST" and kind in forms:
        forms[kind] = type(forms[kind])(request.POST)
        if forms[kind].carry_out(by=request.user):
            return redirect("conversation", forms[kind].result.pk)
    return _render(request, forms)


def _render(request: SignedInRequest, forms: dict[str, NamingForm]) -> HttpResponse:
    context = {
        "inbox": inbox_sidebar(by=request.user),
        **{f"{kind}_form": form for kind, form in forms.items()},
        **{f"{kind}_offered": [Person.of(each) for each in form.offered] for kind, form in forms.items()},
    }
    status = max((form.status for form in forms.values() if form.is_bound), default=200)
    return render(request, "conversations/new.html", context, status=status)
