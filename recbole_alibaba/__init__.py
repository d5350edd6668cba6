"""Alibaba's Tianchi logs in RecBole: importing this package makes RecBole run and registers AlibabaLightGCN."""

from .host import compat as _compat

_compat.apply()

from .host import cache as _cache  # noqa: E402  (RecBole can be imported only now)
from .host import config as _config  # noqa: E402
from .host import registry as _registry  # noqa: E402

_config.install()
_cache.install()
_registry.register()

from .experiment import run  # noqa: E402

__version__ = "0.1.0"
__all__ = ["__version__", "run"]
