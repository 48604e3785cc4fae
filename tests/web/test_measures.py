"""The figures for Prometheus, judged by promtool."""

import re
import subprocess
from pathlib import Path

from edge_app.version import __version__
from tests.events.passes import event
from tests.web.site import Site
from tests.web.test_application import NoDetector, NoReading, frame


def test_promtool_finds_no_fault_in_the_figures_and_no_label_has_a_plate(site: Site) -> None:
    detector, reading, _ = site.window.around("north", NoDetector(), NoReading())
    detector.find(frame())
    reading.read_plate(frame().image_bgr, None, 0)  # type: ignore[arg-type]
    site.publish(event("MH12AB1234"))

    text = site.ask("/metrics").body

    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
    assert b"MH12AB1234" not in text
    names = set(re.findall(r"^# TYPE (\S+)", text.decode(), re.MULTILINE))
    assert all(name.startswith("edge_anpr_") for name in names)
    lines = text.decode().splitlines()
    assert 'edge_anpr_frames_searched_total{camera="north"} 1.0' in lines
    assert 'edge_anpr_stage_seconds_count{camera="north",stage="find"} 1.0' in lines
    assert 'edge_anpr_stage_seconds_count{camera="north",stage="commit"} 1.0' in lines
    assert 'edge_anpr_broker_state{state="unreachable"} 1.0' in lines
    assert "edge_anpr_outbox_events 1.0" in lines
    assert f'edge_anpr_build_info{{version="{__version__}"}} 1.0' in lines


def test_the_documentation_lists_every_figure(site: Site) -> None:
    site.window.around("north", NoDetector(), NoReading())
    page = (Path(__file__).parents[2] / "docs" / "http.md").read_text()

    shown = set(re.findall(r"^# TYPE (\S+)", site.ask("/metrics").body.decode(), re.MULTILINE))

    missing = {name for name in shown if f"`{name}`" not in page and not name.endswith("_created")}
    assert not missing
