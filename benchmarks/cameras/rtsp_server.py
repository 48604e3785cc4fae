"""Serves a moving test picture over RTSP: /usr/bin/python3 rtsp_server.py PORT [--width --height --codec --login].

Needs python3-gi, gir1.2-gst-rtsp-server-1.0 and GStreamer's plugins.
"""

import argparse
import sys

import gi  # of the system

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402 - only once the versions are chosen

ENCODERS = {
    "h264": "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=15 ! rtph264pay name=pay0 config-interval=1",
    "h265": "x265enc tune=zerolatency speed-preset=ultrafast key-int-max=15 ! rtph265pay name=pay0 config-interval=1",
}

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("port")
parser.add_argument("--width", default=640)
parser.add_argument("--height", default=360)
parser.add_argument("--codec", default="h264", choices=ENCODERS)
parser.add_argument("--file", help="serve this recording, once a viewer, in place of the test picture")
parser.add_argument("--login", help="user:password")
arguments = parser.parse_args()

Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(arguments.port)
factory = GstRtspServer.RTSPMediaFactory()
factory.set_shared(not arguments.file)
picture = (
    f"filesrc location={arguments.file} ! decodebin" if arguments.file else "videotestsrc is-live=true pattern=ball"
)
size = "" if arguments.file else f",width={arguments.width},height={arguments.height},framerate=15/1"
factory.set_launch(
    f"( {picture} ! videoconvert ! videoscale ! video/x-raw,format=I420{size} ! {ENCODERS[arguments.codec]} )"
)
if arguments.login:
    auth, token = GstRtspServer.RTSPAuth(), GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(*arguments.login.split(":")), token)
    server.set_auth(auth)
    permissions = GstRtspServer.RTSPPermissions()
    for what in ("access", "construct"):
        permissions.add_permission_for_role("viewer", f"media.factory.{what}", True)
    factory.set_permissions(permissions)
server.get_mount_points().add_factory("/main", factory)
if not server.attach(None):
    sys.exit("cannot listen")
print("ready", flush=True)
GLib.MainLoop().run()
