"""The server against its own description, by generated requests, and against the functions of the model."""

from typing import Any
from urllib.parse import quote

import hypothesis
import numpy as np
import pandas as pd
import pytest
import torch

from recbole_alibaba.host.errors import BadInput
from recbole_alibaba.recommending.model import SavedModel
from recbole_alibaba.recommending.ranking import VectorRanker
from recbole_alibaba.saved.read_run import SavedRun

pytest.importorskip("fastapi", reason="needs the extra serve")
schemathesis = pytest.importorskip("schemathesis", minversion="4.0", reason="OpenAPI 3.1 needs schemathesis 4")
TestClient = pytest.importorskip("starlette.testclient").TestClient
from recbole_alibaba.serving.app import make_app  # noqa: E402
from recbole_alibaba.serving.middleware import LARGEST_BODY  # noqa: E402
from recbole_alibaba.serving.serve_command import _listen  # noqa: E402

USERS, ITEMS = 12, 40
ODD = "<b>é &/?#%2F"


def made_up() -> SavedModel:
    """A LightGCN of one layer over a made-up graph. Some ids need escaping, and item 39 has no training user."""
    rng = np.random.default_rng(0)
    user_tokens = np.array(["", *(f"u{n}" for n in range(1, USERS)), ODD], object)
    item_tokens = np.array(["", *(f"i{n}" for n in range(1, ITEMS))], object)
    pairs = np.array([(u, (3 * u + place) % 38 + 1) for u in range(1, len(user_tokens)) for place in range(5)])
    degree = np.bincount(pairs[:, 1], minlength=ITEMS)
    first = [torch.from_numpy(rng.normal(size=(n, 4)).astype(np.float32)) for n in (len(user_tokens), ITEMS)]
    weight = torch.from_numpy(1 / np.sqrt(5 * degree[pairs[:, 1]])).float()[:, None]
    users, items = first[0].clone(), first[1].clone()
    users.index_add_(0, torch.from_numpy(pairs[:, 0]), weight * first[1][pairs[:, 1]])
    items.index_add_(0, torch.from_numpy(pairs[:, 1]), weight * first[0][pairs[:, 0]])
    tables = {"user": users / 2, "item": items / 2, "user_embedding": first[0], "item_spread": first[1] / 2}
    record = {"model": "AlibabaLightGCN", "dataset": "made-up", "test_result": {"recall@10": 0.5, "ndcg@10": None}}
    interactions = {"user": pairs[:, 0], "item": pairs[:, 1], "part": np.array(["train"] * len(pairs))}
    run = SavedRun(record, tables, 1, user_tokens, item_tokens, interactions)
    return SavedModel(run, VectorRanker(tables["user"], tables["item"]))


MODEL = made_up()
APP = make_app(MODEL)
schema = schemathesis.openapi.from_asgi("/openapi.json", APP)


@schema.parametrize()
@hypothesis.settings(max_examples=30, deadline=None, derandomize=True)
def test_every_answer_is_as_described(case: Any) -> None:
    case.call_and_validate()


@pytest.fixture(scope="module")
def client() -> Any:
    with TestClient(APP) as client:
        yield client


@pytest.mark.parametrize("user", ["u1", ODD])
def test_a_list_is_the_models(client: Any, user: str) -> None:
    answer = client.get(f"/recommend/{quote(user, safe='')}", params={"k": 3}).json()
    expected = MODEL.recommend([user], 3)
    assert (answer["user"], answer["popular"]) == (user, False)
    assert [one["item"] for one in answer["items"]] == expected["item"].tolist()
    assert [one["score"] for one in answer["items"]] == pytest.approx(expected["score"].tolist())


def test_a_basket_is_folded_in_and_what_is_unknown_is_named(client: Any) -> None:
    answer = client.post("/recommend", json={"items": ["i1", "i39", "none", "i2"], "k": 4}).json()
    expected = MODEL.fold_in(pd.DataFrame({"user": ["new"] * 2, "item": ["i1", "i2"]}), 4)
    assert answer["left_out"] == ["i39", "none"] and answer["popular"] is False
    assert [one["item"] for one in answer["items"]] == expected["item"].tolist()
    assert not {"i1", "i2"} & {one["item"] for one in answer["items"]}
    assert [one["rank"] for one in answer["items"]] == [1, 2, 3, 4]
    assert [one["score"] for one in answer["items"]] == pytest.approx(expected["score"].tolist())
    seen = client.post("/recommend", json={"items": ["i1", "i2"], "k": ITEMS, "seen": True}).json()
    assert {"i1", "i2"} < {one["item"] for one in seen["items"]}
    assert len(client.post("/recommend", json={"items": ["i1"]}).json()["items"]) == 10
    assert client.post("/recommend", json={"items": ["none"]}).json()["popular"] is True


def test_a_port_in_use_is_refused_with_a_way_on() -> None:
    with _listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(BadInput, match=rf"127\.0\.0\.1, port {port}: Address.* in use\. Choose another --port"):
            _listen("127.0.0.1", port)


def test_which_model_answers(client: Any) -> None:
    answer = client.get("/health").json()
    assert answer == {
        "model": "AlibabaLightGCN", "dataset": "made-up", "users": USERS, "items": ITEMS - 1,
        "test_result": {"recall@10": 0.5, "ndcg@10": None},
    }  # fmt: skip
    assert client.get("/openapi.json").json()["info"]["title"] == "AlibabaLightGCN on made-up"


def test_an_unknown_user_gets_the_popular_list_where_that_is_asked_for(client: Any) -> None:
    answer = client.get("/recommend/u99?unknown_is_popular=true").json()
    assert answer["popular"] is True and len(answer["items"]) == 10
    known = client.get("/recommend/u1?unknown_is_popular=true&k=3").json()
    assert known == client.get("/recommend/u1?k=3").json() and known["popular"] is False
    own = {f"i{item}" for item in ((3 + place) % 38 + 1 for place in range(5))}  # of user 1
    listed = {one["item"] for one in client.get(f"/recommend/u1?k={ITEMS}").json()["items"]}
    assert not own & listed and len(listed) == ITEMS - 1 - len(own)


def test_a_list_ends_where_the_items_do(client: Any) -> None:
    assert len(client.get("/recommend/u1?k=1000&seen=true").json()["items"]) == ITEMS - 1
    assert len(client.get("/similar/i1?k=1000").json()["similar"]) == ITEMS - 2
    assert len(client.post("/recommend", json={"items": ["i1"], "k": 1000.0}).json()["items"]) == ITEMS - 2


def test_an_explanation_adds_up(client: Any) -> None:
    answer = client.get(f"/explain/{quote(ODD, safe='')}/i7").json()
    row = MODEL.recommend([ODD], ITEMS - 1, seen=True).set_index("item")
    assert len(answer["shares"]) == 5 and answer["popularity"] == 0 != answer["own"]
    assert answer["score"] == pytest.approx(row["score"]["i7"], abs=1e-5)
    table = MODEL.explain(ODD, "i7")
    assert answer["own"] == pytest.approx(float(table["share"][table["part"] == "own"].sum()))
    assert [one["item"] for one in answer["shares"]] == table["item"][table["part"] == "item"].tolist()
    assert answer["own"] + sum(one["share"] for one in answer["shares"]) == pytest.approx(row["score"]["i7"], abs=1e-5)


def test_similar_items_are_the_models(client: Any) -> None:
    answer = client.get("/similar/i3", params={"k": 5}).json()
    assert [one["item"] for one in answer["similar"]] == MODEL.similar(item="i3", k=5)["item"].tolist()
    assert answer["item"] == "i3" and [one["rank"] for one in answer["similar"]] == [1, 2, 3, 4, 5]
    assert len(client.get("/similar/i3").json()["similar"]) == 10


@pytest.mark.parametrize(
    ("path", "code", "words"),
    [
        ("/recommend/u99", 404, "does not know the user 'u99' (nearest: u9"),
        ("/similar/u1", 404, "does not know the item 'u1'"),
        ("/explain/u1/i77", 404, "does not know the item 'i77'"),
        ("/recommend/u1?k=0", 422, "greater than or equal to 1"),
        ("/recommend/u1?k=1001", 422, "less than or equal to 1000"),
        (f"/recommend/{'x' * 257}", 422, "at most 256 characters"),
    ],
)
def test_what_cannot_be_answered(client: Any, path: str, code: int, words: str) -> None:
    answer = client.get(path)
    assert answer.status_code == code
    assert words in answer.text


def test_a_large_body_is_refused_however_it_comes(client: Any) -> None:
    assert client.post("/recommend", content=b" " * (LARGEST_BODY + 1)).status_code == 413
    assert client.post("/recommend", content=iter([b" " * LARGEST_BODY, b" " * 2])).status_code == 413
    fits = b'{"items": ["i1"]}'.ljust(LARGEST_BODY)
    assert client.post("/recommend", content=fits, headers={"content-type": "application/json"}).status_code == 200
