"""Cursor pagination for every list of the API: stable while rows are added, and as fast on page 1,000 as on
page 1."""

from rest_framework.pagination import CursorPagination


class NewestFirst(CursorPagination):
    """Pages of 50, 200 at most (``?limit=``), newest row first."""

    ordering = "-pk"
    page_size_query_param = "limit"
    max_page_size = 200


class OldestFirst(NewestFirst):
    """The same for what reads from the beginning, such as a timeline."""

    ordering = "pk"
