"""Workarounds that let RecBole 1.2.1 run on today's packages, each with its reason and when it can go.

All are idempotent and change only packages that need it. `apply()` must run before the first `import recbole`.
"""

from recbole_alibaba.host.compat import corrected, todays_packages, trainer_files


def apply() -> None:
    """Apply every workaround that the installed packages need. Safe to call again."""
    todays_packages.restore_numpy_aliases()
    todays_packages.stub_ray_if_broken()
    todays_packages.restore_dok_update()
    trainer_files.allow_own_checkpoints()
    trainer_files.name_checkpoints_apart()
    trainer_files.fit_bars_to_the_terminal()
    trainer_files.keep_settings_in_the_run()
    corrected.count_every_interaction()
    corrected.weigh_neighbours_of_the_target()
    todays_packages.search_with_todays_hyperopt()
    corrected.collect_counts()
