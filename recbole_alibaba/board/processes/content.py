"""Do all models get the same pairs? A fingerprint of what training, validation and test hold."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from recbole_alibaba.data.ranking_loader import user_item_ids
from recbole_alibaba.saved.run_record import parts


def content_fingerprint(made: Any) -> str:
    """16 hexadecimal digits of the users' and items' ids and of the pairs of each part, in whatever order they stand.

    Args:
        made: an `Experiment` with all its parts.
    """
    digest, dataset = hashlib.sha256(), made.dataset
    for field in (dataset.uid_field, dataset.iid_field):
        digest.update("\n".join(map(str, dataset.field2id_token[field])).encode())
    for part in parts(made):
        digest.update(b"part")
        if part is not None:
            users, items = (np.asarray(ids, np.int64) for ids in user_item_ids(part._dataset))
            digest.update(np.sort(users * dataset.item_num + items).tobytes())
    return digest.hexdigest()[:16]
