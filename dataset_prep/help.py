"""How does ``--help`` list commands? With their whole first sentence, where click would cut it."""

from __future__ import annotations

import click

LONGEST = 200


class Group(click.Group):
    """A group whose summaries of commands are not cut."""

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Add ``cmd`` with the first sentence of its help as summary."""
        cmd.short_help = cmd.get_short_help_str(LONGEST)
        super().add_command(cmd, name)
