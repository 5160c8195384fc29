"""Moments in templates, on a site's clock."""

from __future__ import annotations

from django import template

from registry.clocks import moment

register = template.Library()
register.filter("moment", moment)
