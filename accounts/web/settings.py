"""The settings pages, one for each section. None of them needs JavaScript."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts.auth import sessions as session_commands
from accounts.auth.allauth_adapter import address_of
from accounts.auth.confirmation import is_confirmed
from accounts.auth.known_devices import devices_of
from accounts.auth.second_factor import factors_of
from accounts.auth.sessions import active_sessions
from accounts.people.contact_lists import list_blocked
from accounts.people.devices import Device
from accounts.people.profiles import user_json
from accounts.web.base import READ, WRITE, SignedInRequest, form_data, show_form, signed_in
from accounts.web.person_view import Person
from accounts.web.settings_forms import AppearanceForm, CloseForm, PrivacyForm, ProfileForm


@signed_in(*READ)
def settings(request: SignedInRequest) -> HttpResponse:
    """Show the list of sections, with the first section on wide screens."""
    return _show_profile(request, ProfileForm(person=request.user), is_start=True)


@signed_in(*WRITE)
def profile(request: SignedInRequest) -> HttpResponse:
    """Change the profile that others see."""
    form = ProfileForm(form_data(request), person=request.user)
    if form.carry_out(by=request.user):
        messages.success(request, "Your profile is saved.")
        return redirect("settings_profile")
    return _show_profile(request, form)


def _show_profile(request: SignedInRequest, form: ProfileForm, *, is_start: bool = False) -> HttpResponse:
    face, address = Person.of(user_json(request.user)), address_of(request.user)
    return show_form(request, "settings/profile.html", form, face=face, address=address, is_start=is_start)


@signed_in(*WRITE)
def privacy(request: SignedInRequest) -> HttpResponse:
    """Change what others may do and see."""
    form = PrivacyForm(form_data(request), person=request.user)
    if form.carry_out(by=request.user):
        messages.success(request, "Your privacy settings are saved.")
        return redirect("settings_privacy")
    return show_form(request, "settings/privacy.html", form)


@signed_in(*WRITE)
def appearance(request: SignedInRequest) -> HttpResponse:
    """Choose the theme and the language of the pages."""
    form = AppearanceForm(form_data(request), person=request.user)
    if form.carry_out(by=request.user):
        messages.success(request, "Your choice is saved.")
        return redirect("settings_appearance")
    return show_form(request, "settings/appearance.html", form)


@signed_in(*READ)
def sessions(request: SignedInRequest) -> HttpResponse:
    """Show the devices on which the person is signed in."""
    devices = [Device.of(session, current=request.chat_session) for session in active_sessions(request.user)]
    return render(
        request, "settings/sessions.html", {"devices": sorted(devices, key=lambda device: not device.is_this)}
    )


@signed_in("POST")
def end_session(request: SignedInRequest, session_id: UUID) -> HttpResponse:
    """End one of the person's own sessions; another person's session is a 404."""
    session_commands.end_session(session=active_sessions(request.user).get(pk=session_id))
    messages.success(request, "That device is signed out.")
    return redirect("settings_sessions")


@signed_in("POST")
def end_other_sessions(request: SignedInRequest) -> HttpResponse:
    """End all other sessions of the person."""
    session_commands.end_other_sessions(session=request.chat_session)
    messages.success(request, "All your other devices are signed out.")
    return redirect("settings_sessions")


@signed_in(*READ)
def security(request: SignedInRequest) -> HttpResponse:
    """Show how the account is protected, with links to change it."""
    known = {"factors": factors_of(request.user), "is_confirmed": is_confirmed(request.chat_session)}
    return render(request, "settings/security.html", known)


@signed_in(*READ)
def blocked(request: SignedInRequest) -> HttpResponse:
    """Show the people whom the person has blocked."""
    page = list_blocked(by=request.user, cursor=request.GET.get("cursor"))
    people = [Person.of(each["user"]) for each in page.items]
    return render(request, "settings/blocked.html", {"people": people, "next": page.next})


@signed_in(*WRITE)
def close(request: SignedInRequest) -> HttpResponse:
    """Close the account after checking the password."""
    devices = devices_of(request, session=request.chat_session)
    form = CloseForm(form_data(request), person=request.user, address=request.META["REMOTE_ADDR"], devices=devices)
    if form.carry_out(by=request.user):
        logout(request)
        messages.success(request, "Your account is closed. Take care.")
        return redirect("account_login")
    return show_form(request, "settings/close.html", form)
