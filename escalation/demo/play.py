"""One story, told by calling the verbs a person would call.

`play` is a generator: it yields the moment of the next act, and does the act when it is resumed. Whoever
drives it (`director`) puts the acts of all stories in order of time and lets the engine work in between.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from heapq import merge

from countermeasures import lifecycle as fixes
from countermeasures.models import Countermeasure, Kind, Stage
from escalation import answering
from escalation.demo import follow_up, on_the_way
from escalation.demo.cast import Cast
from escalation.demo.checks import exposure_of, why_weak
from escalation.demo.story import Fix, Said, Story
from escalation.models import Notification
from incidents import lifecycle
from incidents.families import Family
from incidents.models import Incident, SeverityRule, WaitingOn
from incidents.permissions import Action
from plant.models import Person, System

EVIDENCE = (
    "Seen at the station together with the supervisor. Change record filed.",
    "Photo and test run in the change record.",
    "Tested on one shift with the team leader. It stops when it should.",
)

MINUTES = timedelta(minutes=1)

Moments = Iterator[datetime]


@dataclass(slots=True)
class Play:
    """A story under way."""

    story: Story
    cast: Cast
    raised: Incident | None = None

    @property
    def incident(self) -> Incident:
        """As it was raised: its number and its place, which never change."""
        assert self.raised is not None
        return self.raised

    @property
    def number(self) -> int:
        return self.incident.number

    @property
    def owner(self) -> Person:
        return self.cast.people[self.story.owner]

    def local(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, tzinfo=self.incident.site.tz)

    def day_of(self, moment: datetime) -> date:
        return moment.astimezone(self.incident.site.tz).date()


def play(story: Story, cast: Cast) -> Moments:
    """All acts of a story in order, those of the future included: they are never reached."""
    run = Play(story, cast)
    yield from _raised(run)
    if story.ack is None:
        return
    yield from _worked_on(run)
    if story.closed_small is not None:
        yield from _closed_small(run)
        return
    if story.contain is None:
        return
    yield from _understood(run)
    yield from on_the_way.accepted(run)
    if story.failed_fix is not None:
        yield from _did_not_hold(run, story.failed_fix)
    if story.fix is not None:
        yield from _fixed(run, story.fix)
    for said in story.said:
        if _is_later(story, said):
            yield story.at(said.minutes)
            _say(run, story.at(said.minutes))
    yield from _still_proving(run)


def _still_proving(run: Play) -> Moments:
    """The last act of what nobody has signed off yet."""
    found = Countermeasure.objects.filter(incident=run.incident, stage=Stage.CHECKING).first()
    if found is not None and run.story.fix is not None:
        yield from on_the_way.measured(run, run.story.fix, found)


def _raised(run: Play) -> Moments:
    story, cast = run.story, run.cast
    yield story.opened
    run.raised, _created = lifecycle.raise_incident(
        by=cast.people[story.reporter],
        category=cast.categories[story.category],
        impact=story.impact,
        station=cast.stations[story.station],
        system=_named_system(story, cast),
        title=story.title,
        words=story.words,
        flow=story.flow,
        cover_until=story.at(story.cover) if story.cover is not None else None,
        now=story.opened,
    )


def _named_system(story: Story, cast: Cast) -> System | None:
    """The system the file names, unless that would say that the fix of an older story did not hold.

    The file tells each story as trouble of its own kind; whoever raises one such names only the station.
    """
    system, site = cast.systems.get(story.system), cast.stations[story.station].line.area.site
    if system is None:
        return None
    family = Family(cast.categories[story.category], site, system=system)
    return None if family.incidents().filter(countermeasures__stage=Stage.CHECKING).exists() else system


def _worked_on(run: Play) -> Moments:
    """From picked up to product moving, with everything in between in its order."""
    story = run.story
    acts = [(story.ack or 0, 0, _take)]
    acts += [(story.arrive, 1, _arrive)] if story.arrive is not None else []
    acts += [(story.waits_on[1], 2, _wait)] if story.waits_on else []
    acts += [(story.lost[0], 3, _line_stops), (story.lost[1], 4, _line_runs)] if story.lost else []
    acts += [(said.minutes, 5 + n, _say) for n, said in enumerate(story.said) if not _is_later(story, said)]
    acts += [(minute, 50, _see) for _who, minute in story.seen_by]
    acts += [(story.contain, 60, _contain)] if story.contain is not None else []
    acts += [((story.contain or 1) - 1, 55, _take_photos)] if story.follow_up.photos else []
    for minutes, _order, act in sorted(acts, key=lambda a: a[:2]):
        at = story.at(minutes)
        yield at
        act(run, at)


def _is_later(story: Story, said: Said) -> bool:
    """Whether it was said long after product moved, when the cause was known and the fix planned."""
    return story.contain is not None and said.minutes > story.contain + 10


def _take(run: Play, at: datetime) -> None:
    lifecycle.acknowledge(run.number, by=run.owner, now=at)


def _arrive(run: Play, at: datetime) -> None:
    lifecycle.arrive(run.number, by=run.owner, now=at)


def _wait(run: Play, at: datetime) -> None:
    assert run.story.waits_on is not None
    name, _from, until = run.story.waits_on
    lifecycle.wait_on(
        run.number, by=run.owner, on=WaitingOn.VENDOR, name=name, until=run.story.at(until), now=at
    )


def _line_stops(run: Play, at: datetime) -> None:
    lifecycle.stop_line(run.number, by=run.cast.people[run.story.reporter], now=at)


def _line_runs(run: Play, at: datetime) -> None:
    lifecycle.line_runs(run.number, by=run.cast.people[run.story.reporter], now=at)


def _say(run: Play, at: datetime) -> None:
    said = next(s for s in run.story.said if run.story.at(s.minutes) == at)
    lifecycle.post_update(
        run.number,
        by=run.cast.people[said.by] if said.by else run.owner,
        conditions=said.conditions,
        actions=said.actions,
        needs=said.needs,
        technical=said.technical,
        next_update_at=at + said.next_minutes * MINUTES if said.next_minutes else None,
        now=at,
    )


def _see(run: Play, at: datetime) -> None:
    """A manager opens the link of the newest message and taps "I've seen it"."""
    name = next(who for who, minute in run.story.seen_by if run.story.at(minute) == at)
    newest = Notification.objects.filter(incident=run.incident, person=run.cast.people[name]).last()
    if newest is not None:
        answering.answer(newest.token, now=at)


def _contain(run: Play, at: datetime) -> None:
    incident = run.incident
    longest = SeverityRule.of(incident.severity).bandage_days
    lifecycle.contain(
        run.number,
        by=run.owner,
        what=run.story.bandage,
        expires_on=run.day_of(at) + timedelta(days=min(run.story.bandage_days, longest)),
        now=at,
    )


def _take_photos(run: Play, at: datetime) -> None:
    reporter = run.cast.people[run.story.reporter]
    follow_up.add_photos(run.number, run.story.follow_up.photos, by=reporter, now=at)


def _understood(run: Play) -> Moments:
    """Once the rush is over, the owner writes down what it was."""
    story = run.story
    at = story.at(story.restore or story.contain or 0)
    if story.summary:
        yield at
        lifecycle.add_words(run.number, by=run.owner, words=story.summary, now=at)
    if story.root_cause:
        at += 25 * MINUTES
        yield at
        fixes.write_cause(
            run.number,
            by=run.owner,
            root_cause=story.root_cause,
            escape_cause=story.escape_cause,
            five_whys=story.follow_up.five_whys,
            now=at,
        )
    if story.bandage_days > 7:
        at = run.local(run.day_of(at) + timedelta(days=1), time(9, 20))
        yield at
        _extend(run, at, run.day_of(story.at(story.contain or 0)) + timedelta(days=story.bandage_days))


def _extend(run: Play, at: datetime, until: date) -> None:
    for bandage in Countermeasure.objects.filter(incident=run.incident).worn():
        if bandage.expires_on is not None and bandage.expires_on < until:
            reason = "The fix takes longer. Until it is in, this keeps product safe."
            manager = run.cast.manager_of(run.incident)
            fixes.extend(bandage.pk, by=manager, expires_on=until, reason=reason, now=at)


def _did_not_hold(run: Play, fix: Fix) -> Moments:
    """A first countermeasure goes in and fails its check: the incident comes back."""
    found = yield from _planned(run, fix)
    yield from _placed(run, fix, found)
    assert fix.checked_at is not None
    yield fix.checked_at
    checker = run.cast.who_may(Action.CHECK, run.incident, but=[found.owner])
    fixes.check(found.pk, by=checker, effective=False, measured=fix.measured, now=fix.checked_at)
    if run.story.fix is not None and run.story.fix.placed_at is not None:
        again = fix.checked_at + 40 * MINUTES
        yield again
        _contain(run, again)
    else:
        yield from _came_back(run, fix.checked_at)


def _came_back(run: Play, since: datetime) -> Moments:
    at = since + 60 * MINUTES
    yield at
    lifecycle.post_update(
        run.number,
        by=run.owner,
        conditions=f"{run.story.words} It came back: {_lower(run.story.failed_fix)}.",
        actions=f"{run.story.bandage} again. Next: {run.story.fix.what if run.story.fix else ''}.",
        needs="An inspector at the station until the end of the shift",
        now=at,
    )


def _lower(fix: Fix | None) -> str:
    return fix.measured[0].lower() + fix.measured[1:] if fix else ""


def _fixed(run: Play, fix: Fix) -> Moments:
    """The countermeasure that removes the cause: agreed, promised, in place, proved, as far as it is."""
    found = yield from _planned(run, fix)
    yield from merge(_kept_safe(run, fix), on_the_way.moved(run, fix, found))
    if fix.placed_at is None:
        return
    yield from _placed(run, fix, found)
    yield from _followed_up(run, fix, found)
    if fix.checked_at is not None and run.story.closes:
        yield from on_the_way.measured(run, fix, found)
        yield from _proved(run, fix, found)


def _planned(run: Play, fix: Fix) -> Generator[datetime, None, Countermeasure]:
    at = fix.planned_at
    yield at
    incident = run.incident
    owner = run.cast.people[fix.owner]
    exposure, unit = exposure_of(fix, incident)
    found = fixes.add(
        run.number,
        by=run.owner,
        kind=Kind.PERMANENT,
        what=fix.what,
        owner=owner,
        due_on=on_the_way.first_day(run.number, fix, run.day_of(at)) if fix.is_promised else None,
        strength=fix.strength,
        metric=fix.metric,
        target=fix.target,
        window_days=fix.window_days,
        window_exposure=exposure,
        exposure_unit=unit,
        checker=run.cast.who_may(Action.CHECK, incident, but=[owner, run.owner]),
        now=at,
    )
    if not found.is_strong_enough:
        at += 45 * MINUTES
        yield at
        reason = why_weak(found)
        fixes.waive(found.pk, by=run.cast.manager_of(incident), reason=reason, now=at)
    return found


def _kept_safe(run: Play, fix: Fix) -> Moments:
    """A bandage that would run out before the fix is in is extended on its last morning."""
    worn = Countermeasure.objects.filter(incident=run.incident).worn().first()
    until = run.day_of(fix.placed_at) if fix.placed_at else fix.due_on + timedelta(days=2)
    if worn is None or worn.expires_on is None or not run.story.extends:
        return
    longest = timedelta(days=SeverityRule.of(run.incident.severity).extension_days)
    good_until = worn.expires_on
    while good_until < until:
        at = max(run.local(good_until, time(8, 40)), fix.planned_at + 50 * MINUTES)
        if fix.placed_at is not None and at >= fix.placed_at:
            return
        yield at
        good_until = min(until, run.day_of(at) + longest)
        _extend(run, at, good_until)


def _placed(run: Play, fix: Fix, found: Countermeasure) -> Moments:
    """In place with evidence, the bandage off, and so the incident is being proved."""
    at = fix.placed_at
    assert at is not None
    yield at
    owner = run.cast.people[fix.owner]
    evidence = EVIDENCE[run.number % len(EVIDENCE)]
    fixes.put_in_place(found.pk, by=owner, evidence=evidence, now=at)
    yield at + 20 * MINUTES
    for bandage in Countermeasure.objects.filter(incident=run.incident).worn():
        fixes.take_off(bandage.pk, by=run.owner, now=at + 20 * MINUTES)
    yield at + 30 * MINUTES
    lifecycle.resolve(run.number, by=run.owner, now=at + 30 * MINUTES)


def _followed_up(run: Play, fix: Fix, found: Countermeasure) -> Moments:
    """While it is being proved: where else it could happen, and what is measured."""
    placed = fix.placed_at
    assert placed is not None
    if run.story.where_else:
        at = placed + 50 * MINUTES
        yield at
        named = run.cast.systems.get(run.story.system)
        is_over = fix.checked_at is not None
        follow_up.look_elsewhere(found, named, run.story.where_else, run.cast, is_over=is_over, now=at)
    for one in run.story.follow_up.log:
        at = placed + timedelta(days=one.days, hours=4)
        yield at
        follow_up.measure(found, one, by=run.owner, now=at)


def _proved(run: Play, fix: Fix, found: Countermeasure) -> Moments:
    """Measured for the last time, checked by somebody else, confirmed by the floor, closed."""
    at = fix.checked_at
    assert at is not None
    incident = run.incident
    checker = found.checker or run.cast.who_may(Action.CHECK, incident, but=[found.owner])
    if not found.is_counted_from_shifts:
        yield at - 30 * MINUTES
        fixes.log_measurement(
            found.pk,
            by=checker,
            times=found.window_exposure,
            note=fix.measured,
            now=at - 30 * MINUTES,
        )
    yield at
    fixes.check(found.pk, by=checker, effective=True, measured=fix.measured, now=at)
    yield at + 60 * MINUTES
    confirms = run.cast.who_may(Action.CONFIRM, incident, but=[run.owner])
    lifecycle.confirm_running(run.number, by=confirms, now=at + 60 * MINUTES)
    yield at + 75 * MINUTES
    lifecycle.close(run.number, by=run.owner, now=at + 75 * MINUTES)


def _closed_small(run: Play) -> Moments:
    """A small thing: the cause in a sentence, and somebody who agrees that nothing more is needed."""
    at = run.story.at(run.story.closed_small or 0)
    yield at
    incident = run.incident
    agrees = run.cast.who_may(Action.CONFIRM, incident, but=[run.owner])
    lifecycle.close(run.number, by=run.owner, cause=run.story.root_cause, agreed_by=agrees, now=at)
