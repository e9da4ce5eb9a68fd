"""`docs/escalation.md` says what really happens: it is what the default policies do when they are played."""

from __future__ import annotations

import os

import pytest


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "scene" in metafunc.fixturenames:
        from tests.scenarios.playbook import SCENES

        metafunc.parametrize("scene", SCENES, ids=[scene.title for scene in SCENES])


def test_the_page_has_the_default_policies():
    from tests.scenarios import playbook

    assert _written(playbook.POLICIES, playbook.policy_lines()) == _read()[playbook.POLICIES]


def test_the_page_tells_each_story_as_it_goes(scene, world):
    from tests.scenarios import playbook

    assert _written(scene.title, playbook.scene_lines(scene, world)) == _read()[scene.title]


def test_the_page_has_nothing_else():
    from tests.scenarios import playbook

    assert playbook.page(_read()) == playbook.PAGE.read_text()
    assert list(_read()) == [playbook.POLICIES, *(scene.title for scene in playbook.SCENES)]


def _read() -> dict[str, str]:
    """The sections of the page by their titles."""
    from tests.scenarios.playbook import PAGE

    _introduction, *sections = PAGE.read_text().split("\n## ")
    return {section.split("\n", 1)[0]: f"## {section}".rstrip() for section in sections}


def _written(title: str, lines: list[str]) -> str:
    """What belongs on the page; with WRITE_DOCS=1 it is put there."""
    from tests.scenarios import playbook

    section = "\n".join(lines).rstrip()
    if os.environ.get("WRITE_DOCS"):
        playbook.PAGE.write_text(playbook.page(_read() | {title: section}))
    return section
