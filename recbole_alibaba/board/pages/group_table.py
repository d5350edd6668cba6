"""How good is each model for a part of the users or of the items?"""

from __future__ import annotations

from dataset_prep.pages.numbers import count
from dataset_prep.pages.parts import Table, table
from recbole_alibaba.board.pages.board_numbers import figure
from recbole_alibaba.board.standings.contents import Group, Standings


def group_table(standing: Standings) -> Table:
    """The deciding metric of each group; a row a group, a column a model."""
    rows = [row for row in standing.rows if row.groups]
    named = {name: group for row in reversed(rows) for name, group in row.groups.items()}
    names = [name for name in (rows[0].groups if rows else ()) if named[name].users]
    cells = [
        (
            name,
            count(named[name].users),
            _interactions(named[name]),
            *(figure(row.groups[name].metrics.get(standing.metric)) if name in row.groups else "" for row in rows),
        )
        for name in names
    ]
    head = ("group", "test users", "training interactions", *(row.label for row in rows))
    return table(f"{standing.metric} by group on {standing.dataset}", head, cells)


def _interactions(group: Group) -> str:
    """Those of a member: 2 to 55."""
    if group.least is None or group.most is None:
        return ""
    return count(group.least) if group.least == group.most else f"{count(group.least)} to {count(group.most)}"
