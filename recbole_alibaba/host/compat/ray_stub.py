"""What stands in for a ray, or a ray.tune, that cannot be imported: each name exists, and its use says what to do."""

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


class StubFinder(MetaPathFinder, Loader):
    """Finds `broken`, ray or ray.tune, and every module below it as an empty package.

    RecBole's quick_start imports `ray.tune`, and its run_hyper.py imports further modules although hyperopt does not
    need them. `tune.report` does nothing, because RecBole calls it after every trial of hyperopt, too.
    """

    def __init__(self, reason: str, broken: str = "ray") -> None:
        self.reason, self.broken = reason, broken

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of the broken package or of a module below it."""
        if not f"{fullname}.".startswith(f"{self.broken}."):
            return None
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> None:
        """An ordinary module."""

    def exec_module(self, module: ModuleType) -> None:
        """Give the module a class for every name that is asked of it."""

        def __getattr__(name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(f"module '{module.__name__}' has no attribute '{name}'")
            return type(name, (), {"__init__": _refuse(f"{module.__name__}.{name}", self.reason)})

        vars(module)["__getattr__"] = __getattr__
        if module.__name__ == "ray.tune":
            vars(module)["report"] = lambda *_, **__: None


def install(reason: str, broken: str = "ray") -> None:
    """Let `import` find the stub of `broken` from now on; `reason` is why the real one failed."""
    sys.meta_path.insert(0, StubFinder(reason, broken))


def _refuse(name: str, reason: str) -> Any:
    def __init__(*_: Any, **__: Any) -> None:
        raise ImportError(
            f"{name} needs ray, which does not work here ({reason}). RecBole 1.2.1 needs ray<=2.6.3, and that runs "
            "only on Python 3.11 and earlier with numpy<2 and setuptools<82. Tune with hyperopt instead: "
            "python run_hyper.py --tool=Hyperopt, after pip install hyperopt."
        )

    return __init__
