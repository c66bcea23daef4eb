"""Whether others can reach a site, and where its pages are open: read from its settings alone."""

import pytest

from chatproject.environment import Environment
from chatproject.exposure import exposing, is_local, site_origins


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        ({}, []),
        ({"HOST": "localhost"}, []),
        ({"HOST": "127.0.0.2"}, []),
        ({"HOST": "::1"}, []),
        ({"HOST": ""}, []),
        ({"HOST": "0.0.0.0"}, ["HOST"]),  # noqa: S104 (nobody listens)
        ({"HOST": "::"}, ["HOST"]),
        ({"HOST": "192.168.1.2"}, ["HOST"]),
        ({"HOST": "chat.example"}, ["HOST"]),
        ({"SITE_URL": "http://localhost:8000"}, []),
        ({"SITE_URL": "http://127.0.0.1:8000/"}, []),
        ({"SITE_URL": "https://[::1]"}, []),
        ({"SITE_URL": "http://chat.localhost"}, []),
        ({"SITE_URL": "https://chat.example"}, ["SITE_URL"]),
        ({"SITE_URL": "https://localhost.example"}, ["SITE_URL"]),
        ({"SITE_URL": "https://localhost@chat.example"}, ["SITE_URL"]),
        ({"SITE_URL": "http://[2001:db8::1]"}, ["SITE_URL"]),
        ({"SITE_URL": "http://[::1"}, ["SITE_URL"]),
        ({"SITE_URL": "chat.example"}, ["SITE_URL"]),
        ({"ALLOWED_HOSTS": "localhost, 127.0.0.1,[::1],.localhost,LOCALHOST."}, []),
        ({"ALLOWED_HOSTS": "*"}, ["ALLOWED_HOSTS"]),
        ({"ALLOWED_HOSTS": "localhost,.example"}, ["ALLOWED_HOSTS"]),
        ({"ALLOWED_HOSTS": "localhost,10.0.0.7"}, ["ALLOWED_HOSTS"]),
        ({"ALLOWED_HOSTS": "[fe80::1]"}, ["ALLOWED_HOSTS"]),
        ({"BEHIND_TLS": "1"}, ["BEHIND_TLS"]),
        ({"BEHIND_TLS": "Yes "}, ["BEHIND_TLS"]),
        ({"BEHIND_TLS": "0"}, []),
        ({"TRUSTED_PROXIES": "127.0.0.1"}, ["TRUSTED_PROXIES"]),
        ({"TRUSTED_PROXIES": " "}, []),
        (
            {"BEHIND_TLS": "1", "TRUSTED_PROXIES": "127.0.0.1", "SITE_URL": "https://chat.example"},
            ["SITE_URL", "BEHIND_TLS", "TRUSTED_PROXIES"],
        ),
    ],
    ids=str,
)
def test_each_setting_that_lets_others_in_is_named(environ: dict[str, str], found: list[str]) -> None:
    assert exposing(environ) == exposing(Environment(environ)) == found


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.8.9.10", "::1", "[::1]", "::ffff:127.0.0.1", "a.localhost", "LocalHost"]
)
def test_this_machine_has_many_names(host: str) -> None:
    assert is_local(host)


@pytest.mark.parametrize(
    "host", ["", "127.1", "2130706433", "::", "[::ffff:10.0.0.1]", "localhost.example", "xlocalhost"]
)
def test_what_may_mean_another_machine_is_not_local(host: str) -> None:
    assert not is_local(host)


LOCAL = ["http://127.0.0.1:8170", "http://localhost:8170", "http://[::1]:8170"]


@pytest.mark.parametrize(
    ("environ", "more"),
    [
        ({}, []),
        ({"SITE_URL": "https://chat.example/"}, ["https://chat.example"]),
        ({"SITE_URL": "http://[::1"}, []),
        ({"ALLOWED_HOSTS": "10.0.0.7"}, ["http://10.0.0.7:8170"]),
        ({"ALLOWED_HOSTS": "chat.example,.example", "BEHIND_TLS": "1"}, ["https://chat.example", "https://*.example"]),
        ({"ALLOWED_HOSTS": "*"}, []),
        ({"ALLOWED_ORIGINS": "https://app.example"}, ["https://app.example"]),
    ],
    ids=str,
)
def test_pages_are_open_at_the_origins_that_the_settings_name(environ: dict[str, str], more: list[str]) -> None:
    assert set(site_origins(environ, "http://127.0.0.1:8170")) == {*LOCAL, *more}
