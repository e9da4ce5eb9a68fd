"""Addresses of signing in, home, the station code and the profile."""

from django.urls import path

from plant import views

urlpatterns = [
    path("", views.home, name="home"),
    path("alerts/", views.alerts, name="alerts"),
    path("login/", views.SignIn.as_view(), name="login"),
    path("logout/", views.SignOut.as_view(), name="logout"),
    path("language/", views.language, name="language"),
    path("theme/", views.theme, name="theme"),
    path("q/<str:code>", views.station_code, name="station-code"),
    path("q/<str:code>/", views.station_code),
    path("station/leave/", views.leave_station, name="leave-station"),
    path("profile/", views.profile, name="profile"),
    path("profile/password/", views.change_password, name="change-password"),
    path("profile/token/", views.new_token, name="new-token"),
]
