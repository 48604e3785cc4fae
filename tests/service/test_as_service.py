"""What a program is given that runs as the service does."""

from edge_app.service.as_service import settings_of

UNIT = """# /etc/systemd/system/edge-anpr.service
[Unit]
After=network.target
[Service]
Type=notify
ExecStart=/opt/edge-anpr/current/bin/edge-anpr run
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=10
RuntimeDirectory=edge-anpr
RuntimeDirectoryMode=0750
DynamicUser=yes
# LoadCredential=mqtt-password:/etc/edge-anpr/other
SystemCallFilter=~@privileged \\
  @resources
CapabilityBoundingSet=
[Install]
WantedBy=multi-user.target

# /etc/systemd/system/edge-anpr.service.d/override.conf
[Service]
LoadCredential=mqtt-password:/etc/edge-anpr/mqtt-password
"""


def test_the_sandbox_and_the_credentials_are_the_services_and_its_life_is_not() -> None:
    assert [" ".join(line.split()) for line in settings_of(UNIT)] == [
        "DynamicUser=yes",
        "SystemCallFilter=~@privileged @resources",
        "CapabilityBoundingSet=",
        "LoadCredential=mqtt-password:/etc/edge-anpr/mqtt-password",
    ]
