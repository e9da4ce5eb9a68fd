"""One address serves the page and its fragment, and an unchanged fragment costs no bytes."""

from __future__ import annotations

from django.test import Client

FRAGMENT = {"hx-request": "true", "hx-target": "rows", "accept": "text/html"}


def test_the_address_serves_the_whole_page(strange: Client) -> None:
    answer = strange.get("/strange-board/")

    assert "<html>" in answer.content.decode()
    assert {"HX-Request", "HX-Target"} <= {part.strip() for part in answer["Vary"].split(",")}


def test_htmx_gets_the_fragment_it_will_put_in(strange: Client) -> None:
    answer = strange.get("/strange-board/", headers=FRAGMENT)

    assert answer.content.decode().startswith('<div id="rows">')
    assert "<html>" not in answer.content.decode()


def test_a_target_that_is_no_fragment_gets_the_page(strange: Client) -> None:
    assert (
        "<html>"
        in strange.get("/strange-board/", headers={**FRAGMENT, "hx-target": "other"}).content.decode()
    )


def test_back_and_boosted_links_get_the_page(strange: Client) -> None:
    for header in ("hx-history-restore-request", "hx-boosted"):
        assert (
            "<html>" in strange.get("/strange-board/", headers={**FRAGMENT, header: "true"}).content.decode()
        )


def test_an_unchanged_fragment_is_304_although_its_csrf_mask_is_new(strange: Client) -> None:
    first = strange.get("/strange-board/", headers=FRAGMENT)

    again = strange.get("/strange-board/", headers={**FRAGMENT, "if-none-match": first["ETag"]})

    assert "csrfmiddlewaretoken" in first.content.decode()
    assert again.status_code == 304
    assert again.content == b""
    assert again["ETag"] == first["ETag"]


def test_a_changed_fragment_is_sent(strange: Client) -> None:
    first = strange.get("/strange-board/", headers=FRAGMENT)

    changed = strange.get("/strange-board/?word=loud", headers={**FRAGMENT, "if-none-match": first["ETag"]})

    assert changed.status_code == 200
    assert "loud" in changed.content.decode()


def test_a_refused_verb_draws_the_fresh_fragment_with_its_sentence(strange: Client) -> None:
    answer = strange.get("/strange-board/?stale=1", headers=FRAGMENT)

    assert answer.status_code == 409
    assert "Lena Brandt changed this" in answer.content.decode()
    assert "ETag" not in answer
