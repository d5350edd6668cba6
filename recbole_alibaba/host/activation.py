"""Makes RecBole run on the installed packages and know this plugin."""

from importlib.util import find_spec

from recbole_alibaba.host.errors import RecBoleNeededError

RECBOLE = "1.2.1"
INSTALL = "pip install -c constraints.txt .", f"pip install --no-deps recbole=={RECBOLE}"


def activate() -> None:
    """Apply the workarounds, patch RecBole's Config and caches, register the models. Idempotent.

    Raises:
        RecBoleNeededError: RecBole 1.2.1 is not installed.
    """
    _require_recbole()
    from recbole_alibaba.host import compat

    compat.apply()
    from recbole_alibaba.host import cache, checkpoints, config, loading, registry  # RecBole can be imported only now

    config.install()
    cache.install()
    checkpoints.install()
    loading.install()
    registry.register()


def _require_recbole() -> None:
    """pip cannot install RecBole 1.2.1 on Python 3.12 and later. When it is asked for RecBole, it takes 1.2.0."""
    if find_spec("recbole") is None:
        found = "is not installed"
    else:
        import recbole

        if recbole.__version__ == RECBOLE:
            return
        found = f"is needed, and {recbole.__version__} is installed"
    lines = "\n".join(f"    {line}" for line in INSTALL)
    raise RecBoleNeededError(f"RecBole {RECBOLE} {found}. Install it in the folder of recbole-alibaba:\n{lines}")
