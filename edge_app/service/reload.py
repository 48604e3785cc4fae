"""The daemon over several lives: with other settings after a request to reload, with the former ones if those fail."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from edge_app import logs
from edge_app.config import Settings
from edge_app.errors import EdgeAnprError
from edge_app.service.last_good import LastGood
from edge_app.uplink.commander import Commander
from edge_app.version import __version__

log = logging.getLogger(__name__)


class Life(Protocol):
    """`edge_app.daemon.Daemon`."""

    asked_to_stop: bool
    """By a signal."""

    def run(self) -> None:
        """Work until the end of this life."""


Build = Callable[[Settings, Commander], Life]
"""`edge_app.app.build_daemon`."""


def run(configuration: Path, build: Build) -> None:
    """Run the daemons that `build` makes, one after the other, until one is stopped.

    If the configuration is wrong at the start, the last one that worked is taken, and its copy kept.

    Raises:
        ConfigurationError: the configuration is wrong, and there is none that worked.
        EdgeAnprError: as `Daemon.run`, if there are no former settings to return to.
    """
    last_good = LastGood(configuration)
    settings, wrong = last_good.load()
    logs.configure(settings.log)
    log.info("edge-anpr %s with %s: camera %s", __version__, configuration, settings.camera.name)
    if wrong is not None:
        log.error("THE LAST GOOD CONFIGURATION IS USED, for the present one is wrong: %s", wrong)

    def commander_for(settings: Settings) -> Commander:
        return Commander(settings, configuration, proven=last_good.keep)

    commander, former = commander_for(settings), settings
    commander.wrong = wrong
    while True:
        failure = _live(build, settings, commander)
        if failure is not None and commander.trial is not None:
            log.error("reload: the former configuration comes back: %s", failure)
            reply, undo, settings = commander.trial, commander.undo, former
            commander = commander_for(settings)
            commander.report_reverted(reply, failure, undo)
        elif commander.reload is not None:
            log.info("reload: the new configuration is tried")
            reload, former = commander.reload, settings
            settings = reload.settings
            commander = commander_for(settings)
            commander.try_out(reload)
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
