"""The figures for Prometheus, judged by promtool."""

import json
import re
import subprocess
from pathlib import Path

from edge_app.version import __version__
from tests.events.passes import event
from tests.web.site import Site, frame
from tests.web.test_application import NoDetector, NoReading


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


EXAMPLES = Path(__file__).parents[2] / "config" / "examples"


def test_promtool_takes_the_rules() -> None:
    checked = subprocess.run(
        ["promtool", "check", "rules", EXAMPLES / "prometheus-rules.yml"], capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "8 rules found" in checked.stdout


def test_an_alert_comes_when_it_should(tmp_path: Path) -> None:
    (tmp_path / "test.yml").write_text(f"""
rule_files: ["{EXAMPLES / "prometheus-rules.yml"}"]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - series: 'edge_anpr_camera_state{{instance="gate-01", camera="north", state="lost"}}'
        values: 0x5 1x20
      - series: 'edge_anpr_camera_state{{instance="gate-01", camera="north", state="good"}}'
        values: 1x5 0x20
    alert_rule_test:
      - {{eval_time: 5m, alertname: EdgeAnprCameraNotGood, exp_alerts: []}}
      - eval_time: 15m
        alertname: EdgeAnprCameraNotGood
        exp_alerts:
          - exp_labels: {{severity: critical, instance: gate-01, camera: north, state: lost}}
            exp_annotations: {{summary: "gate-01: camera north is lost: the page has the remedy"}}
""")

    checked = subprocess.run(
        ["promtool", "test", "rules", tmp_path / "test.yml"], capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_rules_and_dashboard_name_only_figures_that_there_are(site: Site) -> None:
    site.window.around("north", NoDetector(), NoReading())
    site.publish(event())
    there = set(re.findall(r"^(edge_anpr_\w+)", site.ask("/metrics").body.decode(), re.MULTILINE))
    dashboard = json.loads((EXAMPLES / "grafana-dashboard.json").read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]

    named = set(re.findall(r"edge_anpr_\w+", "\n".join(queries)))
    named |= set(re.findall(r"edge_anpr_\w+", (EXAMPLES / "prometheus-rules.yml").read_text()))

    assert named <= there
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


def test_promtool_takes_every_query_of_the_dashboard(tmp_path: Path) -> None:
    dashboard = json.loads((EXAMPLES / "grafana-dashboard.json").read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(queries)]
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [{"name": "queries", "rules": rules}]}))

    checked = subprocess.run(["promtool", "check", "rules", tmp_path / "rules.yml"], capture_output=True, check=False)

    assert checked.returncode == 0, checked.stdout
