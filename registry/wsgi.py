"""The WSGI application."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "registry.settings")

from registry import database

database.start()
application = get_wsgi_application()
gc.freeze()  # what is loaded by now stays; a large report would have it looked through every time
