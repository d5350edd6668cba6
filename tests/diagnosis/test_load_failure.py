"""Why a data set cannot be loaded: what the file holds is explained, on both sides of each limit."""

import pytest

from recbole_alibaba.diagnosis.checks.negative_checks import OWNS
from recbole_alibaba.diagnosis.examination import consult
from recbole_alibaba.diagnosis.load_failure import sizes_of_file, why_not_loaded
from recbole_alibaba.host.errors import AtomicFileError, NothingHeldOutError

ERROR = ValueError("its own words")


@pytest.fixture
def reasons(tmp_path):
    """Ids of the findings on a file of these pairs (and item features, if any)."""

    def reasons(pairs, described=None, error=ERROR, **settings):
        folder = tmp_path / "log"
        folder.mkdir(exist_ok=True)
        rows = "".join(f"u{user}\ti{item}\t1\n" for user, item in pairs)
        (folder / "log.inter").write_text("user_id:token\titem_id:token\ttimestamp:float\n" + rows)
        features = folder / "log.item"
        features.unlink(missing_ok=True)
        if described is not None:
            features.write_text("item_id:token\n" + "".join(f"{item}\n" for item in described))
        return why_not_loaded({"data_path": str(tmp_path), "dataset": "log", **settings}, error)

    return reasons


def ring(pairs, each=2):
    """Users with this many items each, of far more items; the last user may have fewer."""
    return [(at // each, at * 7 % 1999) for at in range(pairs)]


def ids(found):
    return [(finding.id, finding.severity) for finding in found]


@pytest.mark.parametrize(
    ("pairs", "error", "name"),
    [
        ([], ERROR, "empty-data"),
        (ring(99, each=1), ERROR, "thin-data"),  # too few to say more
        (ring(100, each=1), ERROR, "users-seen-once"),
        (ring(998), ERROR, "thin-data"),
        (ring(1000), ERROR, "cannot-start"),
        ([*ring(1000), *ring(1000)], ERROR, "cannot-start"),  # repeats do not count
        ([*ring(998), *ring(998)], ERROR, "thin-data"),
        (ring(1000), NothingHeldOutError("empty part"), "nothing-held-out"),
        (ring(998), NothingHeldOutError("empty part"), "thin-data"),
        ([(user, item) for user in range(20) for item in range(40)], ERROR, "owns-everything"),
        ([(user, (user + item) % 40) for user in range(40) for item in range(39)], ERROR, "cannot-start"),
        ([*ring(1000), *[(10_000 + n, n) for n in range(500)]], ERROR, "cannot-start"),  # half of the users
        ([*ring(1000), *[(10_000 + n, n) for n in range(501)]], ERROR, "users-seen-once"),
    ],
)
def test_what_the_file_holds(reasons, pairs, error, name):
    assert ids(reasons(pairs, error=error)) == [(name, "error")]


def test_a_user_of_everything_is_named_with_his_share(reasons):
    (finding,) = reasons([(user, item) for user in range(30) for item in range(40)])
    assert (finding.number, finding.threshold, finding.causes) == (1.0, OWNS, ("owns-everything",))


def test_the_error_s_own_words_are_the_last_resort(reasons):
    (finding,) = reasons(ring(1000))
    assert finding.message == "its own words"
    (finding,) = why_not_loaded({"data_path": "nowhere", "dataset": "none"}, ERROR)
    assert finding.message == "its own words"


def test_swapped_columns_are_seen_by_the_item_features(reasons):
    assert ids(reasons(ring(1000), described=[f"u{n}" for n in range(500)])) == [("columns-swapped", "error")]
    assert ids(reasons(ring(1000), described=[f"i{n}" for n in range(2000)])) == [("cannot-start", "error")]
    assert ids(reasons(ring(1000), described=[])) == [("cannot-start", "error")]


def core(least):
    return dict.fromkeys(("user_inter_num_interval", "item_inter_num_interval"), f"[{least},inf)")


def test_an_empty_core_is_named_with_thresholds_that_leave_enough(reasons):
    """60 users with the same 30 items: the core of 30 is all of them, the core of 31 is empty."""
    block = [(user, item) for user in range(60) for item in range(60) if (user + item) % 2]
    assert ids(reasons(block, **core(30))) == [("cannot-start", "error")]
    (finding,) = reasons(block, **core(31))
    assert (finding.id, finding.number, finding.threshold) == ("empty-core", 1800, 1000)
    assert finding.changes == core(30)
    (finding,) = reasons(block, **{**core(30), "item_inter_num_interval": "[31,inf)"})
    assert finding.changes == core(30)
    assert "(31, 30)" not in finding.message and "(30, 30) would leave 1,800 pairs of 60 users" in finding.message


def test_an_empty_core_of_a_thin_log_has_no_remedy(reasons):
    (finding,) = reasons([(user, user) for user in range(200)], **core(2))
    assert finding.id == "empty-core" and not finding.changes
    assert "no lower thresholds" in finding.message and "no lower thresholds" in finding.remedy


def test_the_sizes_of_a_file(reasons, tmp_path):
    reasons(ring(1000))
    known = {"data_path": str(tmp_path), "dataset": "log"}
    assert sizes_of_file(known) == {"items": 1000}
    assert sizes_of_file({**known, "ITEM_ID_FIELD": "shop"}) == {}
    assert sizes_of_file({**known, "data_path": str(tmp_path / "log")}) == {"items": 1000}  # RecBole joined the two
    reasons([])
    assert sizes_of_file(known) == {}


def test_a_disk_or_a_malformed_file_is_no_finding_about_settings(tmp_path):
    """Their own sentences say more."""

    def failing(error):
        def build(changes):
            raise error

        return build

    for error in (OSError(28, "No space left on device"), AtomicFileError("line 7")):
        with pytest.raises(type(error)):
            consult(failing(error), {}, {"data_path": str(tmp_path), "dataset": "log"})
    examined = consult(failing(ERROR), {"epochs": 2}, {"data_path": str(tmp_path), "dataset": "log", "epochs": 1})
    assert ids(examined.findings) == [("cannot-start", "error")] and 0 < examined.seconds < 60
    assert examined.settings["epochs"] == 2 and not examined.history
