"""How does ``--help`` list commands? With their whole first sentence, where click would cut it."""

from __future__ import annotations

import click

LONGEST = 200


class Command(click.Command):
    """A command whose summary is not cut."""

    def get_short_help_str(self, limit: int = LONGEST) -> str:
        """The first sentence of the help."""
        return super().get_short_help_str(LONGEST)


class Group(click.Group):
    """A group of such commands."""

    command_class = Command
