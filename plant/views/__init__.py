"""Pages of the plant: signing in and settings, the roster, duty, the calendar, feeds."""
