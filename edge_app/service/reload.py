"""The daemon over several lives: with other settings after a request to reload, with the former ones if those fail."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from edge_app import logs
from edge_app.config import Settings
from edge_app.errors import EdgeAnprError
from edge_app.uplink.commander import Commander

log = logging.getLogger(__name__)


class Life(Protocol):
    """`edge_app.daemon.Daemon`."""

    asked_to_stop: bool
    """By a signal."""

    def run(self) -> None:
        """Work until the end of this life."""


Build = Callable[[Settings, Commander], Life]
"""`edge_app.app.build_daemon`."""


def run(settings: Settings, configuration: Path, build: Build) -> None:
    """Run the daemons that `build` makes, one after the other, until one is stopped.

    Raises:
        EdgeAnprError: as `Daemon.run`, if there are no former settings to return to.
    """
    commander, former = Commander(settings, configuration), settings
    while True:
        failure = _live(build, settings, commander)
        if failure is not None and commander.trial is not None:
            log.error("reload: the former configuration comes back: %s", failure)
            reply, settings = commander.trial, former
            commander = Commander(settings, configuration)
            commander.report_reverted(reply, failure)
        elif commander.reload is not None:
            log.info("reload: the new configuration is tried")
            reload, former = commander.reload, settings
            settings = reload.settings
            commander = Commander(settings, configuration)
            commander.try_out(reload.reply)
        else:
            return
        logs.configure(settings.log)


def _live(build: Build, settings: Settings, commander: Commander) -> str | None:
    """One life of the daemon; why it failed, if its settings were on trial."""
    try:
        daemon = build(settings, commander)
        daemon.run()
    except EdgeAnprError as error:
        if commander.trial is None:
            raise
        return str(error)
    if daemon.asked_to_stop:  # by a signal, which overrules a reload
        commander.reload = None
        return None
    return commander.failure
