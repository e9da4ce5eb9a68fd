"""The WSGI application, for any WSGI server; opsdesk.asgi wraps it for the one that `make run` starts."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from opsdesk import embedded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "opsdesk.settings")
os.environ.setdefault("DB_STATEMENT_SECONDS", "30")  # a page that takes longer is given up

embedded.attach()
application = get_wsgi_application()
# Every view is loaded now: a broken one ends the start, and the first page is not slow.
_ = get_resolver().url_patterns
