"""Parley's settings: one file, read from top to bottom. What differs between machines comes from the environment.

The sections: who we are, apps, people, data, files, live, safety.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import dj_email_url
from csp.constants import NONE, SELF
from psycopg.conninfo import conninfo_to_dict

from chatproject import environment, exposure
from chatproject.core import logging
from chatproject.exposure import Address

# Who we are

BASE_DIR = Path(__file__).resolve().parent.parent
VAR, env = environment.read(BASE_DIR)
VERSION = "0.1.0"
FEATURE_LEVEL = 2
# Which of the larger additions to the contract are switched on; `GET /server` lists them.
FEATURES: list[str] = []
SERVER_NAME = env["SERVER_NAME"]
DEBUG = env.flag("DEBUG")
HOST = env["HOST"]
# Never taken from a request, whose Host header anyone may choose: links that sign people in begin with it.
SITE_URL = env["SITE_URL"].rstrip("/") or str(Address.of(env))
# The settings by which other machines can reach this site.
EXPOSED_BY = exposure.exposing(env)
CHAT_DEMO = env.flag("CHAT_DEMO")
LANGUAGE_CODE = "en-gb"
LANGUAGES = [("en-gb", "English"), ("de", "Deutsch")]
TIME_ZONE = "UTC"
USE_TZ = True

# The keys of this installation. Those that `make run` generates at its first start are in CHAT_VAR.
HAS_SECRET_KEY = bool(env["SECRET_KEY"])
SECRET_KEY = env["SECRET_KEY"] if HAS_SECRET_KEY else "no key yet: enough to look at the code, too little to start"
CHAT_KEYS = env.words("CHAT_KEYS")

# Apps

INSTALLED_APPS = [
    "daphne",
    "chatproject.apps.StaffAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "channels",
    "csp",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "chatproject.apps.ChatProjectConfig",
    "accounts",
    "conversations",
    "messaging",
    # After messaging, whose management command of the same name replaces this app's.
    "procrastinate.contrib.django",
]

MIDDLEWARE = [
    "chatproject.server.middleware.RequestId",
    "chatproject.server.middleware.RealAddress",
    "chatproject.server.compression.Compression",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "chatproject.server.middleware.StaticFiles",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.auth.middleware.CurrentSession",
    "accounts.auth.middleware.Preferences",
    "accounts.web.page_rate_limit.PageReads",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "chatproject.urls"
ASGI_APPLICATION = "chatproject.asgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# The API

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.auth.tokens.TokenAuthentication",
        "accounts.auth.tokens.CookieAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["chatproject.rest.json.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["chatproject.rest.json.JSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "chatproject.rest.json.JSONOnly",
    "DEFAULT_SCHEMA_CLASS": "chatproject.specs.openapi.Schema",
    "EXCEPTION_HANDLER": "chatproject.rest.problems.problem",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Parley",
    "DESCRIPTION": "Self-hosted chat. This document is generated from the code; docs/protocol.md explains it.",
    "VERSION": VERSION,
    "OAS_VERSION": "3.1.1",
    "PREPROCESSING_HOOKS": ["chatproject.specs.openapi.rename_path_parameters"],
    "POSTPROCESSING_HOOKS": [],
    "SCHEMA_COERCE_PATH_PK": False,
    "SORT_OPERATIONS": True,
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            "cookie": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
        }
    },
}

# People

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "accounts.hashers.Argon2",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "inbox"

ACCOUNT_ADAPTER = "accounts.auth.allauth_adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*", "password2*"]
ACCOUNT_PRESERVE_USERNAME_CASING = False
ACCOUNT_USERNAME_VALIDATORS = "accounts.models.username_validators"
ACCOUNT_USERNAME_MIN_LENGTH = 3
ACCOUNT_EMAIL_VERIFICATION = "optional"
# Several accounts may name an address until one confirms it: otherwise sign-up would reveal who has an account.
ACCOUNT_PREVENT_ENUMERATION = "strict"
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = f"{SERVER_NAME}: "
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_FORMS = {
    "change_password": "accounts.web.sign_in_forms.ChangePasswordForm",
    "reset_password": "accounts.web.sign_in_forms.ResetPasswordForm",
}
# None: `chatproject.core.rate_limits` counts these, also when Redis does not answer, where allauth counts. The
# sign-in page may be posted as often as the API: a lower limit would let a neighbour lock a known device out.
ACCOUNT_RATE_LIMITS = {
    "login_failed": None,
    "reset_password": None,
    "login": "600/m/ip",
    # Each change of an address sends a mail to the new address.
    "manage_email": "10/m/user,30/d/user",
}

SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=10),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=30),
    "SIGNING_KEY": SECRET_KEY,
    "USER_ID_CLAIM": "sub",
    "UPDATE_LAST_LOGIN": False,
}

# Passkeys, codes from an authenticator app, and recovery codes.
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
# People sign in by name, so an address that was never confirmed is no reason to refuse a second factor.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_TOTP_ISSUER = SERVER_NAME
MFA_ADAPTER = "accounts.auth.allauth_adapter.MFAAdapter"
MFA_FORMS = {
    "authenticate": "accounts.web.sign_in_forms.AuthenticateForm",
    "reauthenticate": "accounts.web.sign_in_forms.ReauthenticateForm",
    "activate_totp": "accounts.web.sign_in_forms.ActivateTOTPForm",
}
# Browsers allow passkeys on http://localhost, and nowhere else without TLS.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not env.flag("BEHIND_TLS")

# Mail

EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
vars().update(dj_email_url.parse("dummy:" if env["EMAIL_URL"] == "dummymail:" else env["EMAIL_URL"]))
EMAIL_DELIVERY = EMAIL_BACKEND
# A job delivers to a mail server, which may be slow; other backends stay on this machine and are used directly.
EMAIL_BACKEND = "accounts.mail.Backend" if EMAIL_DELIVERY.endswith("smtp.EmailBackend") else EMAIL_DELIVERY
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env["EMAIL_FROM"]
EMAIL_TIMEOUT = 10

# Data

_database = conninfo_to_dict(env["DATABASE_URL"] or f"postgresql:///parley?host={VAR / 'postgres'}")
DATABASES = {
    "default": {
        "ENGINE": "chatproject.core.postgresql",
        "NAME": _database.pop("dbname", "parley"),
        "USER": _database.pop("user", ""),
        "PASSWORD": _database.pop("password", ""),
        "HOST": _database.pop("host", ""),
        "PORT": _database.pop("port", ""),
        # Our backend checks what the pool hands out: a connection may be lost when the database restarts.
        "CONN_HEALTH_CHECKS": False,
        "OPTIONS": {
            # A new connection for every request would cost four times as much as one from a pool.
            "pool": {"min_size": 1, "max_size": 16, "timeout": 10},
            # Notice a network that fails silently within seconds.
            "connect_timeout": 5,
            "tcp_user_timeout": 15_000,
            **_database,
        },
        "TEST": {"NAME": "test_parley"},
    }
}
# A longer transaction is aborted, and its connection closed. Migrations are exempt.
TRANSACTION_SECONDS = 30
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env["REDIS_URL"] or f"unix://{VAR / 'redis.sock'}"
CACHES = {
    "default": {
        "BACKEND": "chatproject.core.cache.Cache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 2},
    }
}

# Jobs

PROCRASTINATE_IMPORT_PATHS = ["messaging.jobs"]

# Files

# The URL of every static file contains a digest of all of them, so that browsers may cache each file for ever.
STATIC_URL = f"/static/{environment.digest(BASE_DIR / 'static', VERSION)}/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_MAX_AGE = 0 if DEBUG else 365 * 24 * 3600
WHITENOISE_ALLOW_ALL_ORIGINS = False
MEDIA_ORIGIN = [urljoin(url, "/")[:-1]] if (url := env["S3_PUBLIC_ENDPOINT_URL"] or env["S3_ENDPOINT_URL"]) else []
STORAGES = {
    "default": {
        "BACKEND": "messaging.media.storage.MediaStorage",
        "OPTIONS": {
            "bucket_name": env["S3_BUCKET"],
            "endpoint_url": env["S3_ENDPOINT_URL"] or None,
            "public_endpoint_url": env["S3_PUBLIC_ENDPOINT_URL"] or None,
            "access_key": env["S3_ACCESS_KEY_ID"] or None,
            "secret_key": env["S3_SECRET_ACCESS_KEY"] or None,
            "region_name": env["S3_REGION"],
            "addressing_style": "path",
            "signature_version": "s3v4",
            "querystring_expire": 300,
        },
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

ATTACHMENTS = 10
UPLOAD_BYTES = int(env["UPLOAD_BYTES"])
UPLOAD_BYTES_A_DAY = int(env["UPLOAD_BYTES_A_DAY"])
SCANNER_URL = env["SCANNER_URL"]

# Live

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "chatproject.core.channel_layer.ChannelLayer",
        # Conversations are distributed among several hosts.
        "CONFIG": {"hosts": [{"address": url} for url in env.words("CHANNEL_REDIS_URLS") or [REDIS_URL]]},
    },
}

# Over how many seconds a stopping server closes its sockets, so that they do not all reconnect at once.
DRAIN_SECONDS = float(env["DRAIN_SECONDS"])

# What a message and a group may be, and how long messages are kept.
TEXT_LENGTH = 16_000
FRAME_BYTES = 64 * 1024
EDIT_SECONDS = int(env["EDIT_SECONDS"])
GROUP_MEMBERS = int(env["GROUP_MEMBERS"])
RETENTION_DAYS = 90

# Safety

# Rate limits may be switched off for a load test, and for nothing else.
CHAT_LIMITS = env.flag("CHAT_LIMITS")
# Proxies whose X-Forwarded-For and X-Forwarded-Proto are trusted: addresses or networks.
TRUSTED_PROXIES = env.words("TRUSTED_PROXIES")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS")
# Other sites that may open a socket or post with a person's cookie, as scheme://host[:port]; our own is implied.
ALLOWED_ORIGINS = env.words("ALLOWED_ORIGINS")
CSRF_TRUSTED_ORIGINS = ALLOWED_ORIGINS
BEHIND_TLS = env.flag("BEHIND_TLS")
# A password can be guessed or shared; the staff, who read everybody's reports, need more than that.
STAFF_SECOND_FACTOR = env.flag("STAFF_SECOND_FACTOR") if env["STAFF_SECOND_FACTOR"] else BEHIND_TLS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_TLS else None
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_TLS
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_ENGINE = "chatproject.server.browser_sessions"
SESSION_COOKIE_AGE = 30 * 24 * 3600
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if BEHIND_TLS else 0
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "chatproject.rest.problems.csrf_failure"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:", "blob:", *MEDIA_ORIGIN],
        "media-src": [SELF, "blob:", *MEDIA_ORIGIN],
        "connect-src": [SELF, *MEDIA_ORIGIN],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# Logs and metrics

LOGGING = logging.configuration(env["LOG_FORMAT"], debug=DEBUG)
METRICS_TOKEN = env["METRICS_TOKEN"]
# Django's checks of what BEHIND_TLS and DEBUG decide: chatproject.checks reports these in our own terms.
SILENCED_SYSTEM_CHECKS = [f"security.W{number:03}" for number in (4, 5, 8, 9, 12, 16, 18, 21)]
