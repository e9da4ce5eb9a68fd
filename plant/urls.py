"""Addresses of signing in, home, the station code, the profile, and of the roster."""

from django.urls import path

from plant.views import account, calendar, cover, duty, intake, mine, roster, swap

urlpatterns = [
    path("", account.home, name="home"),
    path("alerts/", account.alerts, name="alerts"),
    path("login/", account.SignIn.as_view(), name="login"),
    path("logout/", account.SignOut.as_view(), name="logout"),
    path("language/", account.language, name="language"),
    path("theme/", account.theme, name="theme"),
    path("q/<str:code>", account.station_code, name="station-code"),
    path("q/<str:code>/", account.station_code),
    path("station/leave/", account.leave_station, name="leave-station"),
    path("profile/", account.profile, name="profile"),
    path("profile/password/", account.change_password, name="change-password"),
    path("profile/token/", account.new_token, name="new-token"),
    path("setup/roster/", roster.week, name="roster"),
    path("setup/roster/cover/", cover.new, name="cover-new"),
    path("setup/roster/cover/<int:pk>/", cover.change, name="cover"),
    path("setup/roster/cover/<int:pk>/back/", cover.back, name="cover-back"),
    path("setup/roster/cover/<int:pk>/remove/", cover.remove, name="cover-remove"),
    path("setup/roster/swap/", swap.swap, name="roster-swap"),
    path("setup/duty/", duty.duty, name="duty"),
    path("setup/calendar/", calendar.calendar, name="calendar"),
    path("setup/calendar/settings/", calendar.settings, name="calendar-settings"),
    path("setup/calendar/entry/", calendar.new_entry, name="calendar-entry-new"),
    path("setup/calendar/entry/<int:pk>/", calendar.change_entry, name="calendar-entry"),
    path("setup/calendar/entry/<int:pk>/remove/", calendar.remove_entry, name="calendar-entry-remove"),
    path("setup/roster/import/", intake.take_in, name="roster-import"),
    path("roster/mine/", mine.mine, name="my-shifts"),
    path("roster/feed/new/", mine.new_feed, name="feed-new"),
    path("roster/feed/end/", mine.end_feed, name="feed-end"),
    path("roster/<str:token>.ics", mine.feed, name="roster-feed"),
]
