"""The roster to look at: the week, the board of who would answer, calendars for phones, files read in."""
