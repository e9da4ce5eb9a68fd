"""Addresses of the countermeasure forms."""

from django.urls import path

from countermeasures import views

urlpatterns = [
    path("incidents/<slug:number>/countermeasures/add/", views.add, name="countermeasure-add"),
    path("incidents/<slug:number>/cause/", views.cause, name="cause"),
    path("countermeasures/add/", views.pick, name="countermeasure-pick"),
    path("countermeasures/<int:pk>/measure/", views.measure, name="countermeasure-measure"),
    path("countermeasures/<int:pk>/<slug:verb>/", views.act, name="countermeasure-act"),
]
