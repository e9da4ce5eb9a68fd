"""Every due date that is there already becomes a promise; what was done is kept or late by its dates."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import migrations
from django.utils import timezone

BATCH = 1000


def give(apps, schema_editor):
    now = timezone.now()
    promise, fix = apps.get_model("countermeasures", "Promise"), apps.get_model("countermeasures", "Countermeasure")
    incident = apps.get_model("incidents", "Incident")
    rows = fix.objects.filter(incident__is_drill=False).exclude(stage="withdrawn")
    related = rows.select_related("incident__site", "incident__area", "owner", "checker", "created_by")
    new = []
    for one in related.order_by("pk").iterator(BATCH):
        new += [promise(**told) for told in promises_of(one, now)]
        new = written(promise, new, most=BATCH)
    reviewed = incident.objects.filter(status="closed", review_on__isnull=False, is_drill=False)
    for one in reviewed.exclude(no_fix_accepted_by=None).select_related("site").iterator(BATCH):
        due = dict(person_id=one.no_fix_accepted_by_id, day=one.review_on, given_at=one.closed_at or now)
        new.append(promise(**told_of(one, "review", f"review:{one.pk}", one.title, now, **due)))
    written(promise, new, most=0)


def written(promise, new, *, most):
    if len(new) > most:
        promise.objects.bulk_create(new, batch_size=BATCH)
        return []
    return new


def promises_of(one, now):
    given = {"given_at": one.created_at, "given_to_id": one.created_by_id, "countermeasure_id": one.pk}
    if one.owner_id and one.due_on and (one.stage == "in_work" or one.in_place_at):
        done = None if one.stage == "in_work" else one.in_place_at
        yield told_of(
            one.incident, "fix", f"fix:{one.pk}", one.what, now, person_id=one.owner_id, day=one.due_on,
            done_at=done, **given,
        )  # fmt: skip
    if one.kind == "containment" and one.owner_id and one.in_place_at:
        yield told_of(
            one.incident, "bandage", f"bandage:{one.pk}", one.what, now, person_id=one.owner_id,
            day=one.expires_on, done_at=one.removed_at, **given,
        )  # fmt: skip
    if one.stage == "checking" and one.checker_id:
        proved = one.checking_from.astimezone(ZoneInfo(one.incident.site.timezone)).date()
        day = proved + timedelta(days=(one.window_days or 0) + 3)
        yield told_of(
            one.incident, "check", f"check:{one.pk}", one.what, now, person_id=one.checker_id, day=day, **given
        )  # fmt: skip


def told_of(incident, kind, subject, what, now, *, person_id, day, done_at=None, **given):
    zone = ZoneInfo(incident.site.timezone)
    due_at = datetime.combine(day + timedelta(days=1), time.min, tzinfo=zone)
    return {
        "kind": kind,
        "subject": subject,
        "incident_id": incident.pk,
        "site_id": incident.site_id,
        "area_id": incident.area_id,
        "what": what[:300],
        "person_id": person_id,
        "first_due_at": due_at,
        "due_at": due_at,
        "due_on": day,
        "outcome": "open" if done_at is None else "late" if done_at >= due_at else "kept",
        "ended_at": done_at,
        "chased_from": now,
        **given,
    }


def forget(apps, schema_editor):
    apps.get_model("countermeasures", "Promise").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("countermeasures", "0007_promises"), ("incidents", "0006_help_and_silence")]

    operations = [migrations.RunPython(give, forget)]
