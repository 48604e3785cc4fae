"""The page in a real browser, before a real server; the daemon's side is fed by hand."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from edge_app import config
from edge_app.config import PrivacySettings
from edge_app.records import PlateDetection, Reading, StageTimes
from edge_app.tracking.passage import Observation
from tests.events.passes import event
from tests.web.browser import DESKTOP, PATIENCE_MS, PHONE, chromium, open_page
from tests.web.conftest import OpenSite
from tests.web.site import TOKEN, Site, frame
from tests.web.test_application import NoDetector, NoReading

expect.set_options(timeout=PATIENCE_MS)
PAGE = Path(__file__).parents[2] / "edge_app" / "web" / "page"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


Open = Callable[..., Page]


@pytest.fixture
def open_in(browser: Browser) -> Iterator[Open]:
    """Opens the page of a site; the browser has nothing to complain about."""
    faults: list[str] = []
    pages: list[Page] = []

    def open_it(site: Site, **how: Any) -> Page:
        pages.append(open_page(browser, site.port, faults, **how))
        return pages[-1]

    yield open_it
    for page in pages:
        page.context.close()
    assert faults == []


def show_plate(site: Site, sequence: int) -> None:
    """A frame with a plate."""
    corners = np.array([[100, 100], [200, 100], [200, 130], [100, 130]], np.float32)
    *_, watch = site.window.around("north", NoDetector(), NoReading())
    reading = Reading(np.zeros((24, 37), np.float32), sharpness=0.7, line_height_px=30.0)
    seen = frame(sequence)
    watch(1, Observation(seen, PlateDetection(corners, 0.9, 1), reading, [], StageTimes()))
    site.window.show(seen)


def pixel(page: Page) -> list[int]:
    """The middle of the live picture."""
    got: list[int] = page.evaluate(
        "() => [...document.getElementById('canvas').getContext('2d').getImageData(163, 120, 1, 1).data]"
    )
    return got


def test_the_live_picture_changes_and_shows_what_a_plate_promises(site: Site, open_in: Open) -> None:
    show_plate(site, 1)
    page = open_in(site, **DESKTOP)
    expect(page.locator("#caption")).to_contain_text("north, 320 × 240 pixels")
    before = pixel(page)

    brighter = frame(2)
    brighter.image_bgr[:] = 200
    site.window.show(brighter)
    expect(page.locator("#overlay .box")).to_have_count(0)
    after = pixel(page)
    show_plate(site, 3)

    expect(page.locator("#overlay .box.good")).to_have_count(1)
    expect(page.locator("#plates li")).to_contain_text("100 px wide, letters 30 px high, sharpness 0.70")
    expect(page.locator("#plates li strong")).to_have_text("good: read nearly always")
    assert max(before[:3]) < 60
    assert min(after[:3]) > 180


def test_reads_come_by_themselves_with_their_pictures(site: Site, open_in: Open) -> None:
    site.publish(event("MH12AB1234"))
    page = open_in(site, **DESKTOP)
    expect(page.locator("#reads-list li")).to_have_count(1)

    site.publish(event("DL3CAY9052"))

    expect(page.locator("#reads-list .plate")).to_have_text(["DL3CAY9052", "MH12AB1234"])
    expect(page.locator("#reads-list img").first).to_have_attribute("src", re.compile("^blob:"))
    assert (
        page.locator("#reads-list img").first.evaluate("image => image.decode().then(() => image.naturalWidth)") == 120
    )


def test_the_token_is_asked_for_once(guarded: Site, open_in: Open) -> None:
    guarded.show()
    page = open_in(guarded, **PHONE)
    expect(page.locator("#login")).to_be_visible()

    page.fill("#token", "f" * 16)
    page.click("#login button")
    expect(page.locator("#login-words")).to_have_text("That is not the token.")
    page.fill("#token", TOKEN)
    page.click("#login button")
    expect(page.locator("#login")).to_be_hidden()
    expect(page.locator("#caption")).to_contain_text("north")
    page.reload()

    expect(page.locator("#caption")).to_contain_text("north")
    assert page.locator("#login").is_hidden()
    assert TOKEN not in page.url


@pytest.fixture
def configured(open_site: OpenSite, tmp_path: Path) -> Site:
    """A page that may change its configuration."""
    (tmp_path / "config.toml").write_text('# mine\n[camera]\nname = "north"\n')
    return open_site(configuration=tmp_path / "config.toml")


def at(page: Page, x: float, y: float) -> tuple[float, float]:
    """A place on the picture, in the window."""
    box = page.locator("#overlay").bounding_box()
    assert box is not None
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def test_zones_and_lines_are_drawn_by_hand_and_saved(configured: Site, open_in: Open, tmp_path: Path) -> None:
    configured.show()
    page = open_in(configured, **DESKTOP)
    expect(page.locator("#caption")).to_contain_text("320")
    page.click("#tab-drawing")

    page.click("#new-zone")
    for place in ((0.2, 0.3), (0.8, 0.3), (0.8, 0.9)):
        page.mouse.click(*at(page, *place))
    page.click("#sketch-done")
    page.mouse.move(*at(page, 0.8, 0.9))
    page.mouse.down()
    page.mouse.move(*at(page, 0.6, 0.7), steps=4)
    page.mouse.up()
    page.locator("#shapes input").first.fill("lane")
    page.click("#new-line")
    for place in ((0.1, 0.5), (0.9, 0.5)):
        page.mouse.click(*at(page, *place))
    page.click("#save")

    expect(page.locator("#save-words")).to_have_text("Saved and in use.")
    settings = config.load(tmp_path / "config.toml")
    (zone,) = settings.zones
    (line,) = settings.crossing_lines
    assert zone.name == "lane"
    assert np.allclose(zone.polygon, [(0.2, 0.3), (0.8, 0.3), (0.6, 0.7)], atol=0.01)
    assert np.allclose([line.start, line.end], [(0.1, 0.5), (0.9, 0.5)], atol=0.01)
    assert configured.reloads == 1
    assert (tmp_path / "config.toml").read_text().startswith("# mine\n")


def test_the_keyboard_alone_draws_a_zone(configured: Site, open_in: Open, tmp_path: Path) -> None:
    configured.show()
    page = open_in(configured, **DESKTOP)
    expect(page.locator("#caption")).to_contain_text("320")
    page.focus("#tab-reads")
    page.keyboard.press("ArrowRight")
    page.focus("#new-zone")
    page.keyboard.press("Enter")
    page.focus("#sketch-shape")
    page.keyboard.press("Enter")

    page.locator('[data-handle="zones.0.0"]').focus()
    for key in ("ArrowLeft", "ArrowLeft", "Shift+ArrowUp"):
        page.keyboard.press(key)
    label = page.locator('[data-handle="zones.0.0"]').get_attribute("aria-label")
    page.locator('[data-between="zones.0.0"]').focus()
    page.keyboard.press("Enter")
    page.focus("#save")
    page.keyboard.press("Enter")

    expect(page.locator("#save-words")).to_have_text("Saved and in use.")
    assert label is not None
    assert label.startswith("Zone zone-1, point 1: 18 % across, 35 % down.")
    (zone,) = config.load(tmp_path / "config.toml").zones
    assert zone.polygon[:2] == ((0.18, 0.35), (0.49, 0.375))
    assert len(zone.polygon) == 5


def test_a_drawing_that_will_not_do_is_explained_and_nothing_is_saved(
    configured: Site, open_in: Open, tmp_path: Path
) -> None:
    configured.show()
    page = open_in(configured, **DESKTOP)
    expect(page.locator("#caption")).to_contain_text("320")
    page.click("#tab-drawing")
    page.click("#new-zone")
    for place in ((0.2, 0.2), (0.8, 0.8), (0.8, 0.2), (0.2, 0.8)):
        page.mouse.click(*at(page, *place))
    page.click("#sketch-done")
    page.click("#save")

    expect(page.locator("#save-words")).to_contain_text("its edges cross, or meet in one point")
    assert config.load(tmp_path / "config.toml").zones == ()
    assert configured.reloads == 0


def test_the_focus_bar_follows_the_lens(site: Site, open_in: Open) -> None:
    site.show(1)
    page = open_in(site, **PHONE)
    page.click("#tab-focus")
    site.show(2)
    expect(page.locator("#meter")).to_have_attribute("aria-valuenow", "100")

    soft = frame(3)
    soft.image_bgr[:] = 90
    site.window.show(soft)

    expect(page.locator("#meter")).to_have_attribute("aria-valuenow", "0")
    expect(page.locator("#sharpness-words")).to_have_text("0 % of the best so far")


def test_health_is_told_in_words_with_the_remedy(site: Site, open_in: Open) -> None:
    page = open_in(site, **DESKTOP)
    page.click("#tab-health")

    expect(page.locator("#state-words")).to_have_text("1 thing needs a hand")
    cards = page.locator("#health-list li")
    expect(cards.nth(1)).to_contain_text("not connected: unreachable")
    expect(cards.nth(1)).to_contain_text("check `host` and `port`")


def test_a_lost_camera_shows_no_old_picture_and_comes_back(site: Site, open_in: Open) -> None:
    site.show(1)
    page = open_in(site, **DESKTOP)
    expect(page.locator("#caption")).to_contain_text("320")

    site.window.lose("north")
    expect(page.locator("#no-picture")).to_have_text("Waiting for a picture …")
    site.show(2)

    expect(page.locator("#no-picture")).to_have_text("")


def test_held_back_pictures_are_named(open_site: OpenSite, open_in: Open) -> None:
    site = open_site(privacy=PrivacySettings(lists_only=True))
    page = open_in(site, **DESKTOP)

    expect(page.locator("#no-picture")).to_have_text("Pictures are held back by [privacy] lists_only.")
    expect(page.locator("#reads-none")).to_have_text("Reads are held back by [privacy] lists_only.")


def test_every_word_is_there_in_every_language(site: Site, open_in: Open) -> None:
    page = open_in(site, **DESKTOP)
    tables: dict[str, dict[str, str]] = page.evaluate("() => import('/words.js').then((module) => module.words)")
    used = set(re.findall(r'say\("(\w+)"', (PAGE / "page.js").read_text()))
    used |= set(re.findall(r'data-word="(\w+)"', (PAGE / "index.html").read_text()))

    page.select_option("#language", "hi")

    expect(page.locator("#tab-health")).to_have_text("हालत")
    assert page.locator("html").get_attribute("lang") == "hi"
    assert tables["en"].keys() == tables["hi"].keys()
    assert used <= tables["en"].keys()
    for key, words in tables["en"].items():
        assert sorted(re.findall(r"\{\w+\}", words)) == sorted(re.findall(r"\{\w+\}", tables["hi"][key])), key


@pytest.mark.parametrize("how", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(how: dict[str, Any], scheme: str, configured: Site, open_in: Open) -> None:
    show_plate(configured, 1)
    configured.publish(event())
    page = open_in(configured, color_scheme=scheme, **how)
    expect(page.locator("#reads-list li")).to_have_count(1)
    expect(page.locator("#caption")).to_contain_text("320")
    faults = []
    for tab in ("reads", "drawing", "focus", "health"):
        page.click(f"#tab-{tab}")
        if tab == "drawing":
            page.click("#new-zone")
            page.click("#sketch-shape")
        found = Axe().run(page).response["violations"]
        faults += [f"{tab}: {each['impact']}: {each['id']}" for each in found if each["impact"] != "minor"]

    assert faults == []
    width = page.evaluate("() => [document.documentElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1]
