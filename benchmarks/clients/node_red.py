"""Node-RED runs the flow of docs/node-red-flow.json: does it get each vehicle once, and after a restart of the broker?

`benchmarks/clients/run.sh node-red` installs it and comes here. Exit code 1: something was missing, or came twice.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from pathlib import Path

from benchmarks.delivery.fleet import Device
from tests.mosquitto import Mosquitto, Subscriber, free_port

FLOW = Path(__file__).parents[2] / "docs" / "node-red-flow.json"
START_SECONDS = 120.0


def install(flow: Path, folder: Path, port: int) -> None:
    """Put the flow where Node-RED finds it, with this broker."""
    nodes = json.loads(flow.read_text())
    for node in nodes:
        if node["type"] == "mqtt-broker":
            node["broker"], node["port"] = "127.0.0.1", str(port)
    (folder / "flows.json").write_text(json.dumps(nodes))


def main() -> int:
    """Three vehicles, the broker away and back, two more; each has to come out once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", type=Path, help="node-red")
    program = parser.parse_args().program.resolve()
    with ExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="edge-anpr-node-red-")))
        broker = Mosquitto(folder, ["allow_anonymous true", "persistence true", f"persistence_location {folder}/"])
        broker.start()
        ending.callback(broker.stop)
        install(FLOW, folder, broker.port)
        command = [program, "--userDir", folder, "--port", str(free_port()), folder / "flows.json"]
        node_red = subprocess.Popen(command, stdout=(folder / "node-red.log").open("wb"), stderr=subprocess.STDOUT)
        ending.callback(node_red.wait)
        ending.callback(node_red.terminate)
        deadline = time.monotonic() + START_SECONDS
        while "Received SUBSCRIBE from node-red-anpr" not in broker.log_path.read_text():
            if node_red.poll() is not None or time.monotonic() > deadline:
                print((folder / "node-red.log").read_text(), file=sys.stderr)
                return 1
            time.sleep(0.2)
        device = Device("gate-01", broker.settings, folder)
        ending.callback(device.stop)

        with closing(Subscriber(broker.port, ["node-red/#"])) as output:
            for _ in range(3):
                device.see()
            before = plates_in(output, 3)
        broker.stop(15)
        broker.start()
        with closing(Subscriber(broker.port, ["node-red/#"])) as output:
            while broker.log_path.read_text().count("as node-red-anpr") < 2:
                time.sleep(0.2)
            for _ in range(2):
                device.see()
            after = plates_in(output, 2)
    result = {"vehicles": 5, "before_restart": before, "after_restart": after}
    print(json.dumps(result))
    return 0 if (before, after) == (3, 2) else 1


def plates_in(output: Subscriber, count: int) -> int:
    """How many vehicles came out, once as many did as are waited for and a second more."""
    output.until(count, "/record", 60.0)
    output.listen(1.0)
    return len({json.loads(each.payload)["event_id"] for each in output.on("/record")})


if __name__ == "__main__":
    sys.exit(main())
