"""The daemon over several lives: with other settings when a reload is asked for, with the former ones if those fail."""

import logging
from pathlib import Path

from edge_app import app, logs
from edge_app.config import Settings
from edge_app.errors import EdgeAnprError
from edge_app.remote.commander import Commander

log = logging.getLogger(__name__)


def run(settings: Settings, configuration: Path) -> None:
    """Run the daemon until it is told to stop.

    Raises:
        EdgeAnprError: as `Daemon.run`, where no former settings are left to go back to.
    """
    commander, former = Commander(settings, configuration), settings
    while True:
        failure = _live(settings, commander)
        if commander.trial is not None and failure is not None:
            log.error("reload: the former configuration comes back: %s", failure)
            reply, settings = commander.trial, former
            commander = Commander(settings, configuration)
            commander.tell_reverted(reply, failure)
        elif commander.reload is not None:
            log.info("reload: the new configuration is tried")
            former, reload = settings, commander.reload
            settings = reload.settings
            commander = Commander(settings, configuration)
            commander.try_out(reload.reply)
        else:
            return
        logs.configure(settings.log)


def _live(settings: Settings, commander: Commander) -> str | None:
    """One life of the daemon; why it failed, where it was on trial."""
    try:
        app.build_daemon(settings, commander).run()
    except EdgeAnprError as error:
        if commander.trial is None:
            raise
        return str(error)
    return commander.failure
