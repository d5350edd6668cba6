"""The scores of a model that learned by a softmax: by the formula, in a saved run, and in parts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from fastapi.testclient import TestClient

from recbole_alibaba import build_config, load, prepare, run
from recbole_alibaba.model.softmax_scores import item_vectors, log_popularity, user_vectors
from recbole_alibaba.serving.app import make_app

TEMPERATURE, EXPONENT = 0.2, 0.5
SETTINGS = {
    **{"loss": "softmax", "temperature": TEMPERATURE, "popularity_exponent": EXPONENT, "embedding_size": 16},
    **{"epochs": 2, "learning_rate": 0.01, "show_progress": False, "preflight": False},
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("softmax")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield run("AlibabaLightGCN", "ml-100k", config_dict=SETTINGS | {"checkpoint_dir": str(folder / "saved")})


@pytest.fixture(scope="module")
def made(trained: dict[str, Any]) -> Any:
    folder = Path(trained["run"]).parent
    made = prepare(build_config("AlibabaLightGCN", "ml-100k", config_dict=SETTINGS | {"checkpoint_dir": str(folder)}))
    made.model.load_state_dict(torch.load(trained["model_file"], weights_only=False)["state_dict"])
    made.model.eval()
    return made


@pytest.fixture(scope="module")
def model(trained: dict[str, Any]) -> Any:
    return load(trained["run"])


def test_popularity_is_the_share_of_draws() -> None:
    users, items = np.array([1, 1, 1, 2]), np.array([1, 1, 2, 1])
    every_interaction = log_popularity(users, items, 4, users_alike=False).exp()
    torch.testing.assert_close(every_interaction, torch.tensor([1, 3, 1, 1]) / 4)  # 0 and 3 count as the rarest
    every_user = log_popularity(users, items, 4, users_alike=True).exp()
    torch.testing.assert_close(every_user, torch.tensor([1, 5, 1, 1]) / 6)


def test_products_are_cosines_over_the_temperature_and_popularity() -> None:
    users, items = torch.tensor([[3.0, 4.0], [0.0, 0.0]]), torch.tensor([[0.0, 2.0], [5.0, 0.0]])
    scores = user_vectors(users, 0.5) @ item_vectors(items, torch.tensor([-1.0, -2.0])).T
    torch.testing.assert_close(scores, torch.tensor([[0.8 / 0.5 - 1, 0.6 / 0.5 - 2], [0.0, 0.0]]))


def test_the_models_scores(made: Any) -> None:
    model = made.model
    with torch.no_grad():
        users, items = model.forward()
        taken = made.train_data._dataset.inter_feat["item_id"]
        share = torch.bincount(taken, minlength=model.n_items).clamp_min(1) / len(taken)
        cosines = torch.cosine_similarity(users[5][None], items, dim=1)
        found = model.full_sort_predict({"user_id": torch.tensor([5])})
        torch.testing.assert_close(found[1:], (cosines / TEMPERATURE + EXPONENT * share.log())[1:])
        some = {"user_id": torch.tensor([5, 5]), "item_id": torch.tensor([7, 9])}
        torch.testing.assert_close(model.predict(some), found[[7, 9]])
        model.popularity_exponent = 0.0
        torch.testing.assert_close(model.predict(some), cosines[[7, 9]] / TEMPERATURE)
        model.popularity_exponent = EXPONENT
        model.item_embedding.weight[7] *= -1
        assert not torch.equal(model.full_sort_predict({"user_id": torch.tensor([5])}), found), "scores of old weights"
        model.item_embedding.weight[7] *= -1


def test_lists_before_the_test_are_those_of_full_sort_topk(made: Any, model: Any) -> None:
    from recbole.utils.case_study import full_sort_topk

    settings = SETTINGS | {"fast_loader": False}
    data = prepare(build_config("AlibabaLightGCN", "ml-100k", config_dict=settings)).test_data
    users = data.uid_list
    scores, items = full_sort_topk(users, made.model, data, k=10)
    ours = model.recommend(made.dataset.id2token("user_id", users), k=10, history="train")
    same = ours["item"].to_numpy() == made.dataset.id2token("item_id", items.numpy()).ravel()
    assert np.abs(ours["score"].to_numpy() - scores.numpy().ravel()).max() < 1e-5 and same.mean() > 0.999


@pytest.mark.parametrize("history", ["full", "train"])
def test_parts_add_up_to_the_score(model: Any, history: str) -> None:
    rows = model.recommend(list(model.users.texts[1:200]), k=5, explain=True, history=history)
    named = rows["because"].map(lambda because: sum(share for _, share in because))
    assert np.abs(rows["own"] + named + rows["others"] + rows["popularity"] - rows["score"]).max() < 1e-5
    one = rows.iloc[17]
    parts = model.explain(one["user"], one["item"], history)
    assert parts["part"].iloc[[0, 1, -1]].tolist() == ["own", "item", "popularity"]
    assert parts["share"].sum() == pytest.approx(one["score"], abs=1e-5)
    assert parts["share"].iloc[-1] == pytest.approx(one["popularity"], abs=1e-6)


def test_vectors_give_the_scores_and_a_fold_in_ranks_as_they_do(model: Any) -> None:
    vectors, lists = model.vectors(), model.recommend(k=1)
    scores = np.einsum("ud,ud->u", vectors.users, vectors.items[model.items.ids(lists["item"]) - 1])
    assert np.abs(scores - lists["score"]).max() < 1e-5
    had = pd.DataFrame({"user": "new", "item": model.items.texts[1:6]})
    _, folded = model.fold_in_vectors(had)
    found = model.fold_in(had, k=3, seen=True)
    assert found["item"].tolist() == vectors.item_tokens[np.argsort(-(vectors.items @ folded[0]))[:3]].tolist()


def test_neighbours_do_not_depend_on_popularity(model: Any, made: Any) -> None:
    with torch.no_grad():
        items = made.model.forward()[1]
    cosines = torch.cosine_similarity(items[3][None], items, dim=1)
    cosines[[0, 3]] = -torch.inf
    found = model.similar(item=model.items.texts[3], k=4)
    assert found["item"].tolist() == model.items.texts[cosines.topk(4).indices.numpy()].tolist()


def test_the_server_names_the_popularity(model: Any) -> None:
    user, item = model.users.texts[1], model.items.texts[2]
    with TestClient(make_app(model)) as client:
        answer = client.get(f"/explain/{user}/{item}").json()
    shares = sum(one["share"] for one in answer["shares"])
    assert answer["popularity"] < 0
    assert answer["own"] + shares + answer["popularity"] == pytest.approx(answer["score"], abs=1e-5)
