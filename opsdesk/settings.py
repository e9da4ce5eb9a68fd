"""Settings: one file, everything that differs between plants from the environment.

``DEBUG`` has three states. Unset: somebody's own machine or ``make run``; production behaviour with a secret
key made on the spot. ``1``: development. ``0``: for real; ``SECRET_KEY`` is required and hosts are checked.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

import django_stubs_ext
import sentry_sdk
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from opsdesk import embedded, environment, outbound
from opsdesk.environment import Misconfigured, flag, text

BASE_DIR = Path(__file__).resolve().parent.parent
HOME = embedded.home_from(os.environ)
OPSDESK_HOME = HOME.path

# --- who and where ------------------------------------------------------------------------------------------
_debug = flag("DEBUG")
DEBUG = _debug is True
PORT = environment.number("PORT", 8000, low=1, high=65535)
BASE_URL = environment.address("BASE_URL", f"http://localhost:{PORT}", schemes=("http", "https")).rstrip("/")
_https = BASE_URL.startswith("https://")

SECRET_KEY = text("SECRET_KEY")
if not SECRET_KEY:
    if _debug is False:
        raise Misconfigured("SECRET_KEY (or SECRET_KEY_FILE) is required when DEBUG=0.")
    SECRET_KEY = environment.own_secret(OPSDESK_HOME)

ALLOWED_HOSTS = environment.words("ALLOWED_HOSTS")
if not ALLOWED_HOSTS:
    ALLOWED_HOSTS = [urlsplit(BASE_URL).hostname or "localhost", "localhost", "127.0.0.1", "[::1]"]
    if _debug is not False:
        ALLOWED_HOSTS = ["*"]  # tablets and phones of the demo reach this machine by whatever name it has

# --- apps ---------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "opsdesk.apps.OpsDeskConfig",
    "plant",
    "incidents",
    "countermeasures",
    "escalation",
    "opsdesk.apps.SetupAdminConfig",  # django.contrib.admin
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "anymail",
    "csp",
    "django_filters",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "rest_framework.authtoken",
    "template_partials",
]
AUTH_USER_MODEL = "plant.Person"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "opsdesk.middleware.measure",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "opsdesk.middleware.speak_their_language",
    "plant.middleware.keep_plant_time",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "opsdesk.middleware.limit_body",
    "opsdesk.middleware.RefusalMiddleware",
]
ROOT_URLCONF = "opsdesk.urls"
WSGI_APPLICATION = "opsdesk.wsgi.application"
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
                "plant.context.shell",
                "countermeasures.context.counts",
                "escalation.watch.alerts_band",
            ],
            "builtins": ["template_partials.templatetags.partials"],
        },
    }
]

# --- PostgreSQL ---------------------------------------------------------------------------------------------
DATABASE_URL = text("DATABASE_URL") or HOME.database_url
DATABASES = {"default": environment.database(DATABASE_URL)}
DATABASES["default"] |= {
    "CONN_MAX_AGE": 600,
    "CONN_HEALTH_CHECKS": True,
    "TEST": {"TEMPLATE": "template0"},
}
# A page or a task must not wait for ever (wsgi.py and celery.py set it); a migration may take its time.
_statement_limit = environment.number("DB_STATEMENT_SECONDS", 0, low=0, high=86_400)
DATABASES["default"].setdefault("OPTIONS", {})
_options = DATABASES["default"]["OPTIONS"]
assert isinstance(_options, dict)
_options.setdefault("connect_timeout", 5)
_options.setdefault("application_name", "opsdesk")
# An incident is read with nine joins. Looking for a better order than the written one costs 5 to 15 ms a
# statement and finds none; four tables are still put in order (the dashboard's queries: from 48 to 22 ms).
_server_side = "-c join_collapse_limit=4"
# Of a few new rows the planner believes that a walk through the whole table beside them ends early: they are
# newer than its statistics. It took 50 ms for each message at 100,000 incidents, half a second at 1,000,000.
_server_side += " -c enable_mergejoin=off"
if _statement_limit:
    # Nothing waits for a network inside a transaction: whoever is idle in one for 12 s is frozen, and has to
    # give up the incidents it has locked. The watcher gets at them, and who takes one does not wait in vain.
    _server_side += (
        f" -c statement_timeout={_statement_limit}s -c lock_timeout=10s"
        " -c idle_in_transaction_session_timeout=12s"
    )
_options.setdefault("options", _server_side)

# --- Redis and Celery: they only move hands, PostgreSQL remembers -------------------------------------------
REDIS_URL = text("REDIS_URL") or HOME.redis_url
if REDIS_URL.startswith("unix://"):
    REDIS_URL = "redis+socket://" + REDIS_URL.removeprefix("unix://")
if urlsplit(REDIS_URL).scheme not in {"redis", "rediss", "redis+socket"}:
    raise Misconfigured("REDIS_URL must start with redis://, rediss:// or unix://.")

CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 2,
    "max_retries": 0,  # for who publishes: a page must not wait; workers try for ever (opsdesk.celery)
    "socket_timeout": 2,  # a frozen Redis must not freeze a page; readers block for 1 s at a time
    "health_check_interval": 5,
    "socket_keepalive": True,
    "global_keyprefix": "opsdesk:",
}
CELERY_BROKER_CONNECTION_RETRY = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # for ever: Redis may be away for a minute or a night
CELERY_BROKER_CONNECTION_TIMEOUT = 2
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_STORE_ERRORS_EVEN_IF_IGNORED = False
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_PUBLISH_RETRY = False  # a lost nudge costs a second; a page that waits for Redis costs more
CELERY_TASK_TIME_LIMIT = 120
CELERY_TASK_SOFT_TIME_LIMIT = 90
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_ENABLE_UTC = True
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(OPSDESK_HOME / "beat-schedule")
CELERY_BEAT_MAX_LOOP_INTERVAL = 1

# Each channel has a queue and threads of its own, so that a slow provider holds up nobody else. Text messages
# and email also have a process each; what only comes beside them shares one (ADR 0076).
CHANNELS = ("sms", "email", "push")
WORKERS = ("engine", *CHANNELS)
LISTENERS = ("chat", "webhooks")  # what hears the timeline; a queue each (`escalation.models.ListenerKind`)
LAST_SEEN = (
    "escalation.watch.last_seen"  # seconds since each part worked: for who starts them (opsdesk.silence)
)
CELERY_TASK_DEFAULT_QUEUE = "engine"
LOOKS_EVERY = 5.0  # seconds
CELERY_BEAT_SCHEDULE = {
    # A message that nobody picked up within its time is dropped: the next second brings another.
    "tick": {"task": "escalation.tasks.tick", "schedule": 1.0, "options": {"expires": 2, "queue": "engine"}},
    "rounds": {
        "task": "escalation.tasks.rounds",
        "schedule": 60.0,
        "options": {"expires": 55, "queue": "engine"},
    },
    "shift-starts": {
        "task": "countermeasures.tasks.count_shift_starts",
        "schedule": 300.0,  # for what screens show; a sign-off counts anew
        "options": {"expires": 290, "queue": "engine"},
    },
    "drills": {
        "task": "escalation.tasks.drills",
        "schedule": 5.0,  # a practice stops within so many seconds of something real
        "options": {"expires": 5, "queue": "engine"},
    },
    # The engine wakes a channel as soon as it has something to send. This is for when the engine is away, and
    # for the sign that the channel has a worker (`escalation.watch.SILENT_AFTER`).
    **{
        f"deliver-{channel}": {
            "task": "escalation.tasks.deliver_due",
            "schedule": LOOKS_EVERY,
            "args": (channel,),
            "options": {"expires": LOOKS_EVERY, "queue": channel},
        }
        for channel in CHANNELS
    },
    **{
        f"post-{kind}": {
            "task": "escalation.tasks.post_due",
            "schedule": LOOKS_EVERY,
            "args": (kind,),
            "options": {"expires": LOOKS_EVERY, "queue": kind},
        }
        for kind in LISTENERS
    },
}
NUDGE_ENGINE = True  # after a commit, run the engine now instead of within a second
DUTY_BOOK_SECONDS = 5  # "who is told next" on the API may be this old; who is told is read when it is due

# --- messages to people -------------------------------------------------------------------------------------
EMAIL_URL = outbound.from_environment("EMAIL_URL", ("sandbox", "smtp", "smtps"))
EMAIL_FROM = text("EMAIL_FROM", f"OpsDesk <opsdesk@{urlsplit(BASE_URL).hostname}>")
DEFAULT_FROM_EMAIL = SERVER_EMAIL = EMAIL_FROM
# Answers by mail: a mailbox that is read, imaps://user:password@host/INBOX, or a provider that calls us with
# the secret in the address; and the address that answers go to, which needs plus-addressing.
IMAP_URL = environment.optional_address("IMAP_URL", schemes=("imap", "imaps"))
INBOUND_SECRET = text("INBOUND_SECRET")  # user:password
EMAIL_REPLY_TO = environment.reply_to("EMAIL_REPLY_TO", IMAP_URL)
SMS_URL = outbound.from_environment("SMS_URL", ("sandbox", "twilio", "apprise"))
RECEIPT_SECONDS = environment.number("RECEIPT_SECONDS", 60, low=5, high=3600)  # then the next provider
POSTS_KEPT_DAYS = environment.number("POSTS_KEPT_DAYS", 30, low=1, high=3650)  # to rooms and programs
# Pushes need no account: they go out as soon as anything does.
_practice = all(urlsplit(url).scheme == "sandbox" for url in (EMAIL_URL, SMS_URL))
PUSH_URL = environment.address(
    "PUSH_URL", "sandbox://" if _practice else "vapid://", schemes=("sandbox", "vapid")
)
VAPID_PRIVATE_KEY = text("VAPID_PRIVATE_KEY")  # else made once, beside the data
PUSH_HOSTS = [  # where browsers may be reached; a name that starts with a dot counts with all below it
    "fcm.googleapis.com",
    ".push.services.mozilla.com",
    ".notify.windows.com",
    ".push.apple.com",
    *environment.words("PUSH_HOSTS"),
]
# Whether a text says that it can be answered: with an account that hears back, and in practice, where the
# outbox answers; 1 or 0 says otherwise. A mail says so where answers are read.
_hears = any(one.scheme == "twilio" for one in outbound.providers(SMS_URL))
SMS_REPLIES = _hears or _practice if flag("SMS_REPLIES") is None else bool(flag("SMS_REPLIES"))
EMAIL_REPLIES = bool(EMAIL_REPLY_TO) or _practice
if IMAP_URL:
    CELERY_BEAT_SCHEDULE["read-mailbox"] = {
        "task": "escalation.tasks.read_mailbox",
        "schedule": 10.0,
        "options": {"expires": 8, "queue": "email"},
    }
if _hears:
    CELERY_BEAT_SCHEDULE["poll-texts"] = {
        "task": "escalation.tasks.poll_texts",
        "schedule": 10.0,  # where the provider can call us this finds nothing new
        "options": {"expires": 8, "queue": "sms"},
    }
# Providers of mail that call us (django-anymail): the secret is user:password of the call, its settings are
# ANYMAIL_… in the environment, such as ANYMAIL_MAILGUN_WEBHOOK_SIGNING_KEY.
ANYMAIL = environment.all_named("ANYMAIL_") | ({"WEBHOOK_SECRET": INBOUND_SECRET} if INBOUND_SECRET else {})
HEARTBEAT_URL = text("HEARTBEAT_URL")
SENTRY_DSN = text("SENTRY_DSN")

# --- the demo -----------------------------------------------------------------------------------------------
_demo = flag("DEMO")
DEMO = _debug is not False if _demo is None else _demo  # for real, nobody is shown whom to sign in as
DEMO_PASSWORD = text("DEMO_PASSWORD", "opsdesk")

# --- readiness: dotted callables that return a sentence when work must not be sent here ---------------------
READY_CHECKS: list[str] = ["escalation.watch.engine_is_ticking"]

# --- pages, files, languages --------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("es", _("Spanish"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"] if (BASE_DIR / "static").is_dir() else []
STATIC_ROOT = Path(text("STATIC_ROOT") or OPSDESK_HOME / "static")
# Hashed and compressed once `collectstatic` has run (make run and the Dockerfile do); as they are before.
_collected = not DEBUG and (STATIC_ROOT / "staticfiles.json").exists()
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = not _collected
MEDIA_URL = "/media/"
MEDIA_ROOT = OPSDESK_HOME / "media"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "opsdesk.static.Static"
        if _collected or text("COLLECTING_STATIC")
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440  # bytes of a body without its files; more is answered 413
FILE_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
BODY_LIMIT = 2_621_440  # bytes of any body ...
UPLOAD_LIMIT = 41_943_040  # ... but for multipart forms: a few photos from a phone

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"

# --- safety -------------------------------------------------------------------------------------------------
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https and not DEBUG
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 60 * 60 * 24 * 14  # seconds
CSRF_TRUSTED_ORIGINS = [BASE_URL]
SECURE_HSTS_SECONDS = 60 * 60 * 24 * 30 if SESSION_COOKIE_SECURE else 0
SECURE_REFERRER_POLICY = "same-origin"
if _https:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "opsdesk.views.csrf_failure"

# --- API ----------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["opsdesk.parsing.Json"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "opsdesk.paging.NewestFirst",
    "PAGE_SIZE": 50,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "opsdesk.refusals.answer_api",
    "DEFAULT_THROTTLE_CLASSES": [
        "rest_framework.throttling.AnonRateThrottle",
        "rest_framework.throttling.UserRateThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {
        "anon": text("API_RATE_ANONYMOUS", "60/min"),
        "user": text("API_RATE", "3000/min"),
    },
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "OpsDesk",
    "DESCRIPTION": "Raise problems, follow them, and answer for them, from other programs.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": r"/api/v1/",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "Channel": "plant.models.Channel",
        "EventKind": "incidents.models.EventKind",
        "IncidentStatus": "incidents.models.Status",
        "CountermeasureKind": "countermeasures.models.Kind",
        "CountermeasureStatus": "countermeasures.models.Stage",
        "ReachLevel": "plant.reachability.Level",
        "PostState": "escalation.models.PostState",
        "DeliveryState": "escalation.models.DeliveryState",
        "NotificationReason": "escalation.models.Reason",
        "SeverityEnum": "incidents.models.Severity",
        "RoleEnum": "plant.models.Role",
        "Weekday": "escalation.models.drills.Weekday",
    },
}

# --- caches and logs ----------------------------------------------------------------------------------------
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s", "datefmt": "%H:%M:%S"}
    },
    "filters": {"outages": {"()": "opsdesk.logs.Outages"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["outages"]},
    },
    "root": {"handlers": ["console"], "level": text("LOG_LEVEL", "INFO")},
    "loggers": {
        "apprise": {"level": "CRITICAL"},  # its lines quote addresses, and these hold passwords
        "httpx": {"level": "WARNING"},  # it would write the addresses it asks, and some of them are secrets
        "httpcore": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        "django.server": {"level": "WARNING"},
        "celery": {"level": "WARNING"},
        "celery.worker": {"level": "WARNING"},
        "kombu": {"level": "WARNING"},
        "py.warnings": {"level": "ERROR"},
        "uvicorn.access": {"level": "WARNING"},
    },
}

if SENTRY_DSN:
    sentry_sdk.init(dsn=SENTRY_DSN, send_default_pii=False)

django_stubs_ext.monkeypatch()  # lets a base class name its type at run time: ModelAdmin[Person]
