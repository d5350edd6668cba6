"""Is a cached data set used that is older than the data."""

from __future__ import annotations

from pathlib import Path

from recbole_alibaba.diagnosis.causes import explained
from recbole_alibaba.diagnosis.findings import Finding
from recbole_alibaba.diagnosis.readings import Settings


def stale_cache(settings: Settings) -> list[Finding]:
    """A ``<dataset>-<class>.pth`` that RecBole will load and that was written before the atomic files were."""
    name = str(settings.get("dataset") or "")
    folder = Path(str(settings.get("data_path") or "."))
    data = [*folder.glob(f"{name}.*"), *folder.glob(f"{name}/{name}.*")]
    named = settings.get("dataset_save_path")
    kept = Path(str(settings.get("checkpoint_dir") or "saved"))
    caches = [Path(str(named))] if named else list(kept.glob(f"{name}-*Dataset.pth"))
    written = max((file.stat().st_mtime for file in data if file.suffix in (".inter", ".item", ".user")), default=0.0)
    for cache in caches:
        if cache.is_file() and cache.stat().st_mtime < written:
            return [
                Finding(
                    "stale-cache",
                    "error",
                    written - cache.stat().st_mtime,
                    0.0,
                    {"file": str(cache)},
                    **explained(("stale-cache",), settings),
                )
            ]
    return []
