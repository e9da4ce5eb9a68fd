"""Who is told when, on a screen: in words, with versions and what changed, and edited without a script."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from escalation.defaults import DEFAULT_CLOCKS
from escalation.models import Policy
from escalation.policies import publish
from plant.models import Role
from tests import factories as make
from tests.screens.reading import labels, words

pytestmark = pytest.mark.django_db

As = Callable[[str], Client]


def current(severity: str = "S1", **scope: Any) -> Policy:
    return Policy.objects.current().get(severity=severity, **({"site": None, "category": None} | scope))


def editor(policy: Policy) -> str:
    return f"/setup/policies/{policy.pk}/edit/"


def fields_of(response: Any) -> dict[str, list[str]]:
    """What a browser would send with the form on the page, without the button."""
    html = response.content.decode()
    form = html[html.index('id="editor"') : html.index("</form>", html.index('id="editor"'))]
    found: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        kind, name = re.search(r'type="(\w+)"', tag), re.search(r'name="([^"]+)"', tag)
        if not name or (kind and kind[1] == "checkbox" and " checked" not in tag):
            continue
        value = re.search(r'value="([^"]*)"', tag)
        found.setdefault(name[1], []).append(unescape(value[1]) if value else "on" if kind else "")
    for name, options in re.findall(r'<select name="([^"]+)"[^>]*>(.*?)</select>', form):
        chosen = re.search(r'value="(\w+)" selected', options)
        found[name] = [chosen[1] if chosen else "min"]
    return found


def send(client: Client, policy: Policy, do: str, **changes: Any) -> Any:
    address = editor(policy)
    data = fields_of(client.get(address)) | {
        name.replace("__", "-"): value for name, value in changes.items()
    }
    return client.post(address, data | {"do": do})


def again(client: Client, response: Any, do: str, **changes: Any) -> Any:
    """Another button on the page that came back."""
    data = fields_of(response) | changes
    return client.post(response.request["PATH_INFO"], data | {"do": do})


# --- reading ---


def test_the_policies_are_said_in_plain_words(world: Any, as_: As) -> None:
    said = words(as_("tillery").get("/setup/policies/"))
    assert "S1: Safety, Line down" in said
    assert "At once IT technician and supervisor by push and SMS" in said
    assert "After 5 min IT lead and IT specialist by SMS" in said
    assert "After 8 h IT manager, production manager and materials manager by email, again every 8 h" in said
    assert "Version 1, came with OpsDesk" in said


def test_it_says_who_published_the_version_and_why(world: Any, as_: As) -> None:
    publish(by=world["hutchins"], severity="S2", clocks=DEFAULT_CLOCKS["S2"], why="Nights are thin")
    said = words(as_("brandt").get("/setup/policies/"))
    assert "Version 2, published by Hutchins" in said and "“Nights are thin”" in said


def test_an_override_is_said_as_what_differs(world: Any, as_: As) -> None:
    clocks = {**DEFAULT_CLOCKS["S1"]}
    clocks["response"] = [{**step, "after": step["after"] * 2} for step in clocks["response"]]
    publish(by=world["hutchins"], severity="S1", clocks=clocks, why="Slower", area=world.area)
    said = words(as_("okafor").get("/setup/policies/"))
    assert f"Different for {world.area}" in said
    assert "After 10 min (was: after 5 min)" in said


def test_names_are_said_not_usernames(world: Any, as_: As) -> None:
    step = {"after": 0, "roles": ["plant_manager"], "people": ["lindqvist"], "channels": ["sms"]}
    publish(by=None, severity="S1", clocks={**DEFAULT_CLOCKS["S1"], "safety": [step]}, why="Quality hears")
    assert "plant manager and Lindqvist by SMS" in words(as_("brandt").get("/setup/policies/"))


@pytest.mark.parametrize(
    "name", ["brandt", "hutchins", "tillery", "prewitt", "okafor", "fairbanks", "jimenez"]
)
def test_leads_and_managers_read_it(world: Any, as_: As, name: str) -> None:
    assert as_(name).get("/setup/policies/").status_code == 200
    assert as_(name).get(f"/setup/policies/{current().pk}/").status_code == 200


@pytest.mark.parametrize("name", ["vela", "petty", "kowal"])
def test_others_are_sent_to_the_preview(world: Any, as_: As, name: str) -> None:
    for address in ("/setup/policies/", f"/setup/policies/{current().pk}/"):
        answer = as_(name).get(address)
        assert answer.status_code == 403 and "preview is for all" in words(answer)


def test_an_override_of_another_site_is_not_seen(world: Any, as_: As) -> None:
    elsewhere = publish(
        by=None, severity="S1", clocks=DEFAULT_CLOCKS["S1"], why="Theirs alone", site=make.make_site()
    )
    assert "Theirs alone" not in words(as_("brandt").get("/setup/policies/"))
    assert as_("brandt").get(f"/setup/policies/{elsewhere.pk}/").status_code == 404


def test_any_two_versions_are_compared_in_words(world: Any, as_: As) -> None:
    first = current("S2")
    without = {**DEFAULT_CLOCKS["S2"], "containment": DEFAULT_CLOCKS["S2"]["containment"][:2]}
    second = publish(by=world["hutchins"], severity="S2", clocks=without, why="Leave the plant manager out")
    client = as_("okafor")
    said = words(client.get(f"/setup/policies/{second.pk}/"))
    assert "From version 1 to version 2" in said
    assert "Removed After 4 h: plant manager by email, again every 2 h" in said
    back = words(client.get(f"/setup/policies/{second.pk}/?old={second.pk}&new={first.pk}"))
    assert "From version 2 to version 1" in back and "Added After 4 h: plant manager" in back


def test_the_list_needs_as_many_queries_for_many_overrides_as_for_one(world: Any, as_: As) -> None:
    client = as_("brandt")
    client.get("/setup/policies/")

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            client.get("/setup/policies/")
        return len(captured)

    publish(by=None, severity="S1", clocks=DEFAULT_CLOCKS["S1"], why="One", area=world.area)
    one = queries()
    for severity in ("S2", "S3", "S4"):
        for area in (world.area, make.make_area(site=world.site)):
            publish(by=None, severity=severity, clocks=DEFAULT_CLOCKS[severity], why="More", area=area)
    assert queries() == one


# --- editing ---


def test_an_untouched_editor_would_change_nothing(world: Any, as_: As) -> None:
    for severity in ("S1", "S2", "S3", "S4"):
        answer = send(as_("hutchins"), current(severity), "look")
        assert answer.context["changes"] == []
        assert answer.context["form"].raw(current(severity).clocks) == {
            **current(severity).clocks,
        }


def test_a_changed_step_is_published_as_a_new_version(world: Any, as_: As) -> None:
    old = current()
    answer = send(as_("hutchins"), old, "publish", why="Faster", **{"response-1-after": "3"})
    new = current()
    assert answer.status_code == 302 and answer.headers["Location"] == f"/setup/policies/{new.pk}/"
    assert (new.version, new.why, new.published_by) == (2, "Faster", world["hutchins"])
    assert [step["after"] for step in new.clocks["response"]] == [0, 3, 10]
    old.refresh_from_db()
    assert [step["after"] for step in old.clocks["response"]] == [0, 5, 10] and not old.is_current


def test_adding_a_step_needs_no_script(world: Any, as_: As) -> None:
    client, policy = as_("hutchins"), current("S3")
    page = send(client, policy, "add:response")
    assert page.status_code == 200 and len(page.context["form"].ladders["response"].rows) == 3
    page = again(client, page, "look", **{"response-2-roles": ["it_manager"]})
    assert "After 2 h: IT manager by SMS, again every 4 h" in words(page), "the end of the ladder repeats"
    assert again(client, page, "publish", why="He wants to know").status_code == 302
    assert current("S3").clocks["response"][2]["roles"] == ["it_manager"]


def test_the_editor_says_what_it_changes_in_screen_words(world: Any, as_: As) -> None:
    assert "Change S1: Safety, Line down" in words(as_("hutchins").get(editor(current())))


def test_htmx_gets_the_editor_alone(world: Any, as_: As) -> None:
    client, policy = as_("hutchins"), current()
    data = fields_of(client.get(editor(policy))) | {"do": "add:update"}
    headers = {"HX-Request": "true", "HX-Target": "editor"}
    body = client.post(editor(policy), data, headers=headers).content.decode()
    assert body.lstrip().startswith("<form") and "<h1" not in body and 'name="update-3-after"' in body


def test_taking_a_step_out(world: Any, as_: As) -> None:
    page = send(as_("hutchins"), current(), "remove:response:1")
    rows = page.context["form"].ladders["response"].rows
    assert [row.roles for row in rows] == [
        ["it_tech", "supervisor"],
        ["it_manager", "production_manager", "materials_manager"],
    ]


def test_moving_a_step_changes_who_is_told_and_leaves_the_times(world: Any, as_: As) -> None:
    page = send(as_("hutchins"), current(), "up:response:1")
    rows = page.context["form"].ladders["response"].rows
    assert [row.after.number for row in rows] == ["0", "5", "10"]
    assert rows[0].roles == ["it_lead", "it_specialist"] and rows[1].roles == ["it_tech", "supervisor"]


@pytest.mark.parametrize(
    "do", ["up:response:0", "down:response:2", "remove:response:9", "add:safety", "x", "up::-1"]
)
def test_a_button_that_makes_no_sense_changes_nothing(world: Any, as_: As, do: str) -> None:
    page = send(as_("hutchins"), current(), do)
    assert page.status_code == 200 and page.context["changes"] == []


def test_somebody_is_named_by_typing_their_name_and_taken_out_by_unticking(world: Any, as_: As) -> None:
    client = as_("hutchins")
    page = send(client, current(), "look", **{"safety-0-more": "lindqvist"})
    assert page.context["form"].ladders["safety"].rows[0].people == ["lindqvist"]
    assert again(client, page, "publish", why="Quality hears").status_code == 302
    assert current().clocks["safety"][0]["people"] == ["lindqvist"]
    page = send(client, current(), "look", **{"safety-0-people": []})
    assert page.context["form"].ladders["safety"].rows[0].people == []


def test_an_unknown_name_is_said_at_its_row_and_kept(world: Any, as_: As) -> None:
    page = send(as_("hutchins"), current(), "publish", why="x", **{"closure-0-more": "Nobody Here"})
    assert page.status_code == 400
    assert page.context["form"].ladders["closure"].rows[0].wrong == [
        "There is nobody called “Nobody Here” here."
    ]
    assert current().version == 1


REFUSED = [
    (
        {"response-0-after": "16", "response-1-after": "17", "response-2-after": "18"},
        "response",
        0,
        "within 15 min",
    ),
    ({"response-1-after": "soon"}, "response", 1, "whole minutes"),
    ({"response-1-after": ""}, "response", 1, "whole minutes"),
    ({"response-1-roles": []}, "response", 1, "tells nobody"),
    ({"response-2-after": "4"}, "response", 2, "could never be next"),
    ({"response-1-repeat": "6"}, "response", 1, "could never repeat"),
    ({"closure-0-repeat": ""}, "closure", 0, "how often the last step"),
    ({"update-0-roles": ["it_lead"]}, "update", 0, "tells the owner"),
    ({"containment-0-channels": []}, "containment", 0, "no channel"),
]


@pytest.mark.parametrize(("changes", "clock", "n", "says"), REFUSED)
def test_what_is_wrong_is_said_at_its_row_and_the_words_are_kept(
    world: Any, as_: As, changes: dict[str, Any], clock: str, n: int, says: str
) -> None:
    page = send(as_("hutchins"), current(), "publish", why="My reason", **changes)
    assert page.status_code == 400 and current().version == 1
    form = page.context["form"]
    assert says in " ".join(form.ladders[clock].rows[n].wrong)
    assert says in words(page) and form.why == "My reason"
    for name, value in changes.items():
        if isinstance(value, str):
            assert fields_of(page)[name] == [value]


def test_without_a_reason_nothing_is_published(world: Any, as_: As) -> None:
    page = send(as_("hutchins"), current(), "publish", why="  ", **{"response-1-after": "3"})
    assert page.status_code == 400 and "Say why." in words(page)
    assert fields_of(page)["response-1-after"] == ["3"] and current().version == 1


def test_who_edits_while_somebody_publishes_sees_both_and_loses_nothing(world: Any, as_: As) -> None:
    client, policy = as_("hutchins"), current()
    drawn = client.get(editor(policy))
    theirs = {**DEFAULT_CLOCKS["S1"]}
    theirs["response"] = [
        *theirs["response"][:1],
        {**theirs["response"][1], "after": 4},
        theirs["response"][2],
    ]
    publish(by=world["hutchins"], severity="S1", clocks=theirs, why="Four minutes")
    page = again(client, drawn, "publish", why="Three minutes", **{"response-1-after": "3"})
    said = words(page)
    assert page.status_code == 409 and current().version == 2
    assert "Published meanwhile" in said and "“Four minutes”" in said
    assert "After 4 min (was: after 5 min)" in said, "what they changed"
    assert "After 3 min (was: after 4 min)" in said, "what mine would change"
    assert "Publish mine all the same" in labels(page)
    assert again(client, page, "publish").status_code == 302
    assert (current().version, current().why) == (3, "Three minutes")


def test_the_editor_says_how_many_running_incidents_keep_theirs(world: Any, advance: Any, as_: As) -> None:
    client = as_("hutchins")
    assert "No incident is running under an earlier version." in words(client.get(editor(current())))
    incident = world.raise_it()
    advance(minutes=1)
    assert "1 incident is running under an earlier version." in words(client.get(editor(current())))
    send(client, current(), "publish", why="Faster", **{"response-1-after": "3"})
    incident.run.refresh_from_db()
    assert incident.run.policy.version == 1


# --- overrides ---


def test_an_override_starts_as_it_is_there_now_and_is_published_for_its_place(world: Any, as_: As) -> None:
    client = as_("hutchins")
    assert "Go on to the steps" in words(client.get("/setup/policies/new/"))
    address = f"/setup/policies/new/?severity=S2&area={world.area.code}&category={world.category.code}"
    page = client.get(address)
    assert page.context["changes"] == []
    data = fields_of(page) | {"response-0-after": "2", "why": "Printers first", "do": "publish"}
    assert client.post(address, data).status_code == 302
    made = current("S2", site=world.site, category=world.category)
    assert (made.area, made.version, made.clocks["response"][0]["after"]) == (world.area, 1, 2)
    assert current("S2").version == 1
    assert client.get(address).headers["Location"] == editor(made)


@pytest.mark.parametrize("unknown", ["area=NOWHERE", "category=nothing"])
def test_an_override_for_what_is_not_there_is_none_for_the_whole_site(as_: As, unknown: str) -> None:
    assert as_("hutchins").get(f"/setup/policies/new/?severity=S2&{unknown}").status_code == 404


def test_two_who_begin_the_same_override_do_not_overwrite_each_other(world: Any, as_: As) -> None:
    client, address = as_("hutchins"), "/setup/policies/new/?severity=S2"
    data = fields_of(client.get(address)) | {"why": "Mine", "do": "publish"}
    publish(by=world["hutchins"], severity="S2", clocks=DEFAULT_CLOCKS["S2"], why="First", site=world.site)
    page = client.post(address, data)
    assert page.status_code == 409 and "Published meanwhile" in words(page)
    assert current("S2", site=world.site).why == "First"


# --- who may ---


@pytest.mark.parametrize("name", ["brandt", "tillery", "okafor", "vela", "fairbanks"])
def test_only_an_it_manager_changes_it(world: Any, as_: As, name: str) -> None:
    for address in (editor(current()), "/setup/policies/new/", "/setup/policies/new/?severity=S1"):
        assert as_(name).get(address).status_code == 403
        assert as_(name).post(address, {"do": "publish", "why": "x"}).status_code == 403
    assert Policy.objects.filter(version__gt=1).count() == 0
    if name != "vela":
        said = labels(as_(name).get("/setup/policies/"))
        assert not [label for label in said if label.startswith(("Change", "Add"))]


def test_an_it_manager_of_two_sites_changes_only_where_they_manage(world: Any, as_: As) -> None:
    other = make.make_site()
    make.give_role(world["hutchins"], Role.SUPERVISOR, site=other)
    theirs = publish(by=None, severity="S1", clocks=DEFAULT_CLOCKS["S1"], why="Theirs", site=other)
    assert as_("hutchins").get(f"/setup/policies/{theirs.pk}/?site={other.code}").status_code == 200
    assert as_("hutchins").get(editor(theirs)).status_code == 403
    assert as_("hutchins").get(f"/setup/policies/new/?site={other.code}").status_code == 403


def test_where_there_are_several_sites_a_manager_of_one_changes_it_for_that_one(world: Any, as_: As) -> None:
    client = as_("hutchins")
    assert "Change S1" in labels(client.get("/setup/policies/"))
    make.make_site()
    page = client.get("/setup/policies/")
    assert "Change S1" not in labels(page)
    refused = client.post(editor(current()), {"do": "publish", "why": "x"})
    assert refused.status_code == 403 and "This holds at every site" in words(refused)
    assert f"Change S1 for {world.site}" in labels(page)
    assert client.get(f"/setup/policies/new/?site={world.site.code}&severity=S1").status_code == 200


def test_nobody_reads_it_without_signing_in(db: None) -> None:
    for address in ("/setup/policies/", "/setup/policies/new/", editor(current())):
        assert Client().get(address).status_code == 302
