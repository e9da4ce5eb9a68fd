"""Addresses of the screens that show clocks, and of the page behind the link in a message."""

from django.urls import path

from escalation.views import (
    countermeasure_board,
    countermeasure_page,
    dashboard,
    digest,
    drills,
    incident_page,
    outbox,
    policies,
    policy_editor,
    preview,
    reach,
    sent,
    told,
    work,
)

urlpatterns = [
    path("dashboard/", dashboard.dashboard, name="dashboard"),
    path("work/", work.work, name="work"),
    path("outbox/", outbox.outbox, name="outbox"),
    path("outbox/<int:pk>/", outbox.mail, name="outbox-mail"),
    path("raise/told/", told.told, name="raise-told"),
    path("raise/<slug:number>/sent/", sent.sent, name="raise-sent"),
    path("incidents/<slug:number>/", incident_page.incident, name="incident"),
    path("incidents/<slug:number>/seen/", incident_page.seen, name="incident-seen"),
    path("countermeasures/", countermeasure_board.countermeasures, name="countermeasures"),
    path("countermeasures/<int:pk>/", countermeasure_page.countermeasure, name="countermeasure"),
    path("setup/policies/", policies.policies, name="policies"),
    path("setup/policies/new/", policy_editor.new, name="policy-new"),
    path("setup/policies/<int:pk>/", policies.policy, name="policy"),
    path("setup/policies/<int:pk>/edit/", policy_editor.edit, name="policy-edit"),
    path("setup/reach/", reach.reach, name="reach"),
    path("setup/preview/", preview.policy_preview, name="policy-preview"),
    path("drills/", drills.drills, name="drills"),
    path("drills/new/", drills.new, name="drill-new"),
    path("drills/plan/", drills.change, name="drill-plan"),
    path("drills/<int:pk>/", drills.drill, name="drill"),
    path("drills/<int:pk>/stop/", drills.stop, name="drill-stop"),
    path("a/<str:token>/", digest.link, name="answer"),
    path("a/<str:token>", digest.link),
]
