"""The one settings file. What differs between places comes from the environment (env.py)."""

import os
from pathlib import Path

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from gcm_portal import env

BASE_DIR = Path(__file__).resolve().parent.parent
VAR = Path(os.environ.get("PORTAL_VAR") or BASE_DIR / "var" / "run").resolve()

DEBUG = env.flag("DEBUG")
DEMO = env.flag("DEMO")
SECRET_KEY = env.text("SECRET_KEY")
BASE_URL = env.web_address("BASE_URL")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "127.0.0.1,localhost")
if DEMO and os.environ.get("DATABASE_URL"):
    raise ImproperlyConfigured("DEMO is set together with DATABASE_URL. A real portal has no demo.")
if DEMO and not env.is_loopback(BASE_URL):
    raise ImproperlyConfigured(f"DEMO is set, but {BASE_URL} can be reached from other machines.")
if DEMO and (others := [name for name in ALLOWED_HOSTS if not env.is_loopback_name(name)]):
    raise ImproperlyConfigured(f"DEMO is set, but ALLOWED_HOSTS lets others in: {others[0]}")

INSTALLED_APPS = [
    "pages",
    "registrations",
    "stakeholders",
    "events",
    "accounts",
    "audit",
    "notifications",
    "clock",
    "gcm_portal.apps.RoofConfig",
    "accounts.apps.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.forms",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "django_countries",
    "translated_fields",
]

MIDDLEWARE = [
    "pages.cache.KeptPages",
    "gcm_portal.middleware.Compressed",
    "gcm_portal.middleware.DatabaseAway",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.OwnLanguageInAdmin",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.Answered",
    "accounts.middleware.Ended",
    "accounts.middleware.Idle",
    "accounts.middleware.SecondFactor",
]

PAGES_KEPT_FOR = 1.0  # seconds

ROOT_URLCONF = "gcm_portal.urls"
WSGI_APPLICATION = "gcm_portal.wsgi.application"
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
                "pages.frame.portal",
                "registrations.admin.undoing.shown_everywhere",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# Database and broker. Each thread of the web server keeps its connection, and looks whether it
# lives before it is used; where nobody listens, that is known at once.
DATABASE_URL, REDIS_URL = env.servers(VAR)
DATABASES = {
    "default": dj_database_url.parse(DATABASE_URL, conn_max_age=600, conn_health_checks=True)
}
DATABASES["default"].setdefault("OPTIONS", {})
DATABASES["default"]["OPTIONS"]["connect_timeout"] = 3
# Who opens a cursor here reads it to its end: a file of all people.
DATABASES["default"]["OPTIONS"].setdefault("options", "-c cursor_tuple_fraction=1")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# People. Sign-in is by a code from a letter; nobody has a password.
AUTH_USER_MODEL = "accounts.User"
SILENCED_SYSTEM_CHECKS = ["auth.W004"]  # the address is unique without regard to case
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "registrations:mine"
ACCOUNT_ADAPTER = "accounts.adapters.PortalAdapter"
ACCOUNT_FORMS = {
    "request_login_code": "accounts.forms.DoorForm",
    "confirm_login_code": "accounts.forms.CodeForm",
}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # the code proves the address
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = ACCOUNT_LOGIN_TIMEOUT = 30 * 60
ACCOUNT_LOGIN_BY_CODE_FORMAT = {"numeric": False, "dashed": False, "length": 6}
ACCOUNT_LOGIN_BY_CODE_MAX_ATTEMPTS = 5
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # who is shut out gets no letter
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_DEFAULT_HTTP_PROTOCOL = BASE_URL.split(":")[0]
ALLAUTH_TRUSTED_PROXY_COUNT = env.number("TRUSTED_PROXIES", 0)
ACCOUNT_EMAIL_NOTIFICATIONS = True  # of each change of somebody's ways to sign in
MFA_ADAPTER = "accounts.adapters.FactorAdapter"
MFA_FORMS = {
    "authenticate": "accounts.forms.FactorForm",
    "reauthenticate": "accounts.forms.FactorAgainForm",
    "activate_totp": "accounts.forms.SetUpAppForm",
    "add_webauthn": "accounts.forms.NewKeyForm",
    "edit_webauthn": "accounts.forms.KeyNameForm",
    "authenticate_webauthn": "accounts.forms.KeyForm",
    "reauthenticate_webauthn": "accounts.forms.KeyAgainForm",
    "login_webauthn": "accounts.forms.KeyAtDoorForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "GCM Portal"
MFA_TOTP_TOLERANCE = 1  # half a minute late or early, for clocks that differ (RFC 6238, 5.2)
USERSESSIONS_TRACK_ACTIVITY = False  # it would write at each page
SESSION_COOKIE_AGE = 14 * 24 * 3600
ORGANISER_IDLE_SECONDS = 60 * 60
SESSION_SAVE_EVERY_REQUEST = False
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "throttles",
    }
}

# Post. Every letter is a row; the worker takes it to EMAIL_URL.
EMAIL_BACKEND = "notifications.backends.OutboxBackend"
EMAIL_URL = env.mail_server("EMAIL_URL")
EMAIL_FROM = env.text("EMAIL_FROM", "GCM Portal <portal@localhost>")
EMAIL_BOUNCES = env.mail_address("EMAIL_BOUNCES")  # the envelope's sender; empty: as in EMAIL_FROM
DEFAULT_FROM_EMAIL = EMAIL_FROM
CONTACT_EMAIL = env.text("CONTACT_EMAIL", "secretariat@example.org")

# The door-bell and the timetable. No task carries a moment: sweeps ask what is due now.
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 10, "socket_connect_timeout": 3}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "letters": {"task": "notifications.sweep", "schedule": 10.0, "options": {"expires": 10}},
    "reminders": {"task": "registrations.remind", "schedule": 60.0, "options": {"expires": 60}},
    "changes": {"task": "registrations.announce", "schedule": 60.0, "options": {"expires": 60}},
    "seats": {"task": "registrations.fill_seats", "schedule": 20.0, "options": {"expires": 20}},
    "lists": {
        "task": "registrations.ask_to_be_listed",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "messages": {
        "task": "registrations.send_messages",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "queues": {
        "task": "registrations.tell_reviewers",
        "schedule": 300.0,
        "options": {"expires": 300},
    },
    "imports": {
        "task": "registrations.forget_imports",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "requests": {"task": "stakeholders.settle", "schedule": 3600.0, "options": {"expires": 3600}},
    "accounts": {"task": "accounts.sweep", "schedule": 24 * 3600.0, "options": {"expires": 3600}},
    "failures": {"task": "events.report_failures", "schedule": 60.0, "options": {"expires": 60}},
}

# Languages. Addresses carry the interface language; texts have a column for each UN language.
USE_I18N = True
LANGUAGE_CODE = "en"
LANGUAGES = [
    ("ar", "العربية"),
    ("zh-hans", "中文"),
    ("en", "English"),
    ("fr", "Français"),
    ("ru", "Русский"),
    ("es", "Español"),
]
CONTENT_LANGUAGES = [
    ("ar", _("Arabic")),
    ("zh-hans", _("Chinese")),
    ("en", _("English")),
    ("fr", _("French")),
    ("ru", _("Russian")),
    ("es", _("Spanish")),
]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_TZ = True
TIME_ZONE = "UTC"

# Files of the look.
STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# Safety. The policy has no exception, in the admin neither.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
    }
}
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
IS_SECURE = BASE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = IS_SECURE
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz)$"]  # probes come without TLS
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if IS_SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = IS_SECURE
# Browsers' built-in list is for whole domains, and a name leaves it after months only: that is for
# the owner of the domain to decide.
SILENCED_SYSTEM_CHECKS += ["security.W021"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if IS_SECURE else None
CSRF_TRUSTED_ORIGINS = [BASE_URL]
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL", "INFO")},
    "loggers": {"flufl.bounce": {"level": "CRITICAL"}},  # it tells of each try
}
