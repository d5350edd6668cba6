"""How the learning rate changes over the epochs of a run."""

from ..host.errors import BadSettingError

SCHEDULES = ("constant", "linear")


def learning_rate(first: float, schedule: str | None, epoch: int, epochs: int) -> float:
    """The rate of `epoch` (from 0) of `epochs`: `first` throughout, or `linear`, falling from it to its epochs-th part.

    Raises:
        BadSettingError: an unknown schedule.
    """
    if schedule not in (None, *SCHEDULES):
        raise BadSettingError(f"learning_rate_schedule: {schedule!r} is none of {', '.join(SCHEDULES)}.")
    return first * (1 - epoch / epochs) if schedule == "linear" else first
