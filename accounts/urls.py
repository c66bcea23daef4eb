from django.urls import URLPattern, URLResolver, path
from django.views.generic import RedirectView

from accounts.api.auth import AuthViewSet, SessionViewSet
from accounts.api.people import ContactViewSet, InvitationViewSet, MeViewSet, PeopleViewSet
from accounts.api.wallets import WalletViewSet
from accounts.web import confirm as confirmation
from accounts.web import people, settings
from accounts.web import second_factor as factors
from accounts.web import wallets as wallet

pages: list[URLPattern | URLResolver] = [
    path("settings", settings.settings, name="settings"),
    path("settings/profile", settings.profile, name="settings_profile"),
    path("settings/privacy", settings.privacy, name="settings_privacy"),
    path("settings/appearance", settings.appearance, name="settings_appearance"),
    path("settings/sessions", settings.sessions, name="settings_sessions"),
    path("settings/sessions/end-others", settings.end_other_sessions, name="end_other_sessions"),
    path("settings/sessions/<uuid:session_id>/end", settings.end_session, name="end_session"),
    path("settings/security", settings.security, name="settings_security"),
    path("settings/blocked", settings.blocked, name="settings_blocked"),
    path("settings/blocked/<uuid:user_id>/unblock", people.unblock, {"then": "settings_blocked"}, name="lift_block"),
    path("settings/close", settings.close, name="settings_close"),
    path("settings/security/confirm", confirmation.confirm, name="confirm"),
    path("settings/security/wallet/link", wallet.link, name="link_wallet"),
    path("settings/security/wallet/unlink", wallet.unlink, name="unlink_wallet"),
    path("sign-in/wallet", wallet.sign_in, name="sign_in_with_wallet"),
    path("contacts", people.contacts, name="contacts"),
    path("contacts/<uuid:user_id>/remove", people.remove, name="remove_contact"),
    path("contacts/invitations/<uuid:invitation_id>/accept", people.accept, name="accept_invitation"),
    path("contacts/invitations/<uuid:invitation_id>/decline", people.decline, name="decline_invitation"),
    path("people/<uuid:user_id>", people.person, name="person"),
    path("people/<uuid:user_id>/invite", people.invite, name="invite_person"),
    path("people/<uuid:user_id>/block", people.block, name="block_person"),
    path("people/<uuid:user_id>/unblock", people.unblock, name="unblock_person"),
    path("accounts/2fa/totp/activate/", factors.activate, name="mfa_activate_totp"),
    path(
        "accounts/2fa/webauthn/reauthenticate/",
        confirmation.ConfirmByPasskeyView.as_view(),
        name="mfa_reauthenticate_webauthn",
    ),
    # Our security settings replace the page that django-allauth has here.
    path("accounts/2fa/", RedirectView.as_view(pattern_name="settings_security")),
]

api: list[URLPattern | URLResolver] = [
    path("auth/register", AuthViewSet.as_view({"post": "register"})),
    path("auth/token", AuthViewSet.as_view({"post": "token"})),
    path("auth/token/refresh", AuthViewSet.as_view({"post": "refresh"})),
    path("auth/logout", SessionViewSet.as_view({"post": "logout"})),
    path("auth/sessions", SessionViewSet.as_view({"get": "list", "delete": "destroy_others"})),
    path("auth/sessions/<pk>", SessionViewSet.as_view({"delete": "destroy"})),
    path("auth/password", SessionViewSet.as_view({"post": "password"})),
    path("auth/wallet", WalletViewSet.as_view({"post": "enter"})),
    path("auth/wallet/nonce", WalletViewSet.as_view({"post": "nonce"})),
    path("auth/confirm", SessionViewSet.as_view({"post": "confirm"})),
    path("auth/ticket", SessionViewSet.as_view({"post": "ticket"})),
    path("users/me", MeViewSet.as_view({"get": "retrieve", "patch": "update"})),
    path("users/me/wallet", MeViewSet.as_view({"delete": "unlink_wallet"})),
    path("users/me/close", MeViewSet.as_view({"post": "close"})),
    path("users", PeopleViewSet.as_view({"get": "list"})),
    path("users/blocked", PeopleViewSet.as_view({"get": "blocked"})),
    path("users/<pk>", PeopleViewSet.as_view({"get": "retrieve"})),
    path("users/<pk>/block", PeopleViewSet.as_view({"put": "block", "delete": "unblock"})),
    path("contacts", ContactViewSet.as_view({"get": "list"})),
    path("contacts/invitations", InvitationViewSet.as_view({"get": "list", "post": "create"})),
    path("contacts/invitations/<pk>/accept", InvitationViewSet.as_view({"post": "accept"})),
    path("contacts/invitations/<pk>/decline", InvitationViewSet.as_view({"post": "decline"})),
    path("contacts/<pk>", ContactViewSet.as_view({"delete": "destroy"})),
]
