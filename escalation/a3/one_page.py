"""What the process that asks for a PDF and the one that makes it agree on; without libraries."""

NO_LIBRARY = 3
"""Exit status when WeasyPrint or the libraries below it (Pango) are missing."""

TOO_LONG = 4
"""Exit status when not even the smallest type fits on one page."""

SIZE = "@size@"
"""Stands in the HTML where the size goes."""
