"""Makes RecBole run on the installed packages and know this plugin."""


def activate() -> None:
    """Apply the workarounds, patch RecBole's Config and caches, register the models. Idempotent."""
    from recbole_alibaba.host import compat

    compat.apply()
    from recbole_alibaba.host import cache, checkpoints, config, loading, registry  # RecBole can be imported only now

    config.install()
    cache.install()
    checkpoints.install()
    loading.install()
    registry.register()
