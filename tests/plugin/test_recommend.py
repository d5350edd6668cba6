"""Lists, shares and new users, against RecBole's lists, the model's own vectors, and cases done by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from recbole_alibaba import build_config, load, prepare, run
from recbole_alibaba.data.user_lists import UserLists
from recbole_alibaba.host.errors import SavedRunError
from recbole_alibaba.recommending.ranking import ScoreRanker, VectorRanker

USERS, K = 200, 10


def test_lists_before_the_test_are_those_of_full_sort_topk(trained: dict[str, Any], model: Any) -> None:
    from recbole.utils.case_study import full_sort_topk

    settings = {"embedding_size": 16, "checkpoint_dir": str(Path(trained["run"]).parent), "fast_loader": False}
    made = prepare(build_config("AlibabaLightGCN", "ml-100k", config_dict=settings))
    made.model.load_state_dict(torch.load(trained["model_file"], weights_only=False)["state_dict"])
    users = made.test_data.uid_list
    assert len(users) > 900
    scores, items = full_sort_topk(users, made.model, made.test_data, k=K)
    tokens = made.dataset.id2token("user_id", users)
    ours = model.recommend(tokens, k=K, history="train")
    same = ours["item"].to_numpy() == made.dataset.id2token("item_id", items.numpy()).ravel()
    assert np.abs(ours["score"].to_numpy() - scores.numpy().ravel()).max() < 1e-5
    assert same.mean() > 0.999  # scores that differ by rounding only may change places
    assert ours["user"].to_numpy()[::K].tolist() == list(tokens)


def test_a_list_holds_the_best_items_that_the_user_has_not_had(model: Any) -> None:
    vectors, rows = model.vectors(), model.recommend(k=5)
    assert rows["user"].nunique() == len(vectors.user_tokens) == 943
    for user in vectors.user_tokens[::100]:
        place = vectors.user_tokens.tolist().index(user)
        scores = vectors.items @ vectors.users[place]
        had = model.history.lists("full").take(np.array([place + 1])).items - 1
        scores[had] = -np.inf
        best = vectors.item_tokens[np.argsort(-scores, kind="stable")[:5]]
        assert rows.loc[rows["user"] == user, "item"].tolist() == best.tolist()


def test_the_full_history_is_in_the_vector_as_new_items_would_be(model: Any) -> None:
    users = np.arange(1, USERS)
    lists, trained = model.history.in_graph("full").take(users), model.history.train.take(users)
    assert len(lists.items) > len(trained.items)
    everything, training = (
        model.fold_in_vectors(pd.DataFrame({"user": some.rows, "item": model.items.texts[some.items]}))[1]
        for some in (lists, trained)
    )
    full, train = (model.vectors(history).users[users - 1] for history in ("full", "train"))
    assert np.abs((full - everything) - (train - training)).max() < 1e-5  # what is left is the user's own part
    assert np.abs(full - train).max() > 1e-3


def test_seen_items_and_a_subset(model: Any, caplog: pytest.LogCaptureFixture) -> None:
    token = model.users.texts[1]
    had = model.items.texts[model.history.train.take(np.array([1])).items[:3]].tolist()
    assert len(model.recommend([token], k=10, items=had)) == 0
    with caplog.at_level("WARNING", logger="recbole_alibaba.recommending.model"):
        assert set(model.recommend([token, token], k=10, items=[*had, "nope"], seen=True)["item"]) == set(had)
    assert "left out: nope." in caplog.text


def test_an_unknown_user_gets_the_popular_items_of_the_subset(model: Any) -> None:
    degree, texts = model.history.degree, model.items.texts
    rare = sorted(range(1, len(texts)), key=lambda item: (-degree[item], item))[100:110]
    found = model.recommend(["nobody"], k=10, items=[texts[item] for item in rare], unknown="popular")
    assert found["item"].tolist() == [texts[item] for item in rare if degree[item]]
    best = int(degree[1:].argmax()) + 1
    assert model.recommend(["nobody"], k=1, unknown="popular")["item"].tolist() == [texts[best]]


def test_shares_add_up_to_the_score(model: Any) -> None:
    rng = np.random.default_rng(0)
    rows = model.recommend(rng.choice(model.users.texts[1:], 250, replace=False), k=20, explain=True)
    rows = rows.sample(1000, random_state=0)
    named = rows["because"].map(lambda because: sum(share for _, share in because))
    assert np.abs(rows["own"] + named + rows["others"] - rows["score"]).max() < 1e-5
    for row in rows.head(20).itertuples():
        shares = model.explain(row.user, row.item)
        assert shares["share"].sum() == pytest.approx(row.score, abs=1e-5)
        assert row.because == [
            (item, pytest.approx(share, abs=1e-6)) for item, share in shares.iloc[1:6][["item", "share"]].to_numpy()
        ]


def test_a_fold_in_of_a_users_own_items_gives_his_vector_without_layer_0(trained: dict[str, Any], model: Any) -> None:
    users = np.arange(1, USERS)
    lists = model.history.train.take(users)
    table = pd.DataFrame(
        {"user": model.users.texts[users][lists.rows], "item": model.items.texts[lists.items], "twice": 1}
    )
    names, folded = model.fold_in_vectors(pd.concat([table, table]))
    layer_0 = torch.load(trained["model_file"], weights_only=False)["state_dict"]["user_embedding.weight"]
    order = model.users.ids(names)
    assert np.abs(folded + layer_0[order].numpy() / 4 - model.vectors("train").users[order - 1]).max() < 1e-5
    # His list is nearly the same: layer 0 is a quarter of the mean.
    new, old = (
        rows.groupby("user")["item"].agg(set)
        for rows in (model.fold_in(table), model.recommend(list(names), history="train"))
    )
    assert np.mean([len(new[user] & old[user]) for user in names]) / 10 > 0.5


def test_new_users_with_unknown_items(model: Any, caplog: pytest.LogCaptureFixture) -> None:
    rows = pd.DataFrame({"user": ["a", "a", "b", "b"], "item": [model.items.texts[1], "nope", "nope", "nix"]})
    with caplog.at_level("WARNING", logger="recbole_alibaba.recommending.model"):
        found = model.fold_in(rows, k=4)
    assert "nope, nix" in caplog.text
    assert found.groupby("user")["popular"].first().to_dict() == {"a": False, "b": True}
    popular = found[found["popular"]]
    assert (popular["score"].to_numpy() == np.sort(model.history.degree)[::-1][:4]).all()
    assert popular["item"].tolist() == model.recommend(["new"], k=4, unknown="popular")["item"].tolist()


def test_neighbours_by_cosine(model: Any) -> None:
    vectors = model.vectors()
    unit = vectors.items / np.linalg.norm(vectors.items, axis=1, keepdims=True)
    best = np.argsort(-(unit @ unit[7]), kind="stable")
    found = model.similar(item=vectors.item_tokens[7], k=3)
    assert found["item"].tolist() == vectors.item_tokens[best[best != 7][:3]].tolist()
    assert model.similar(user=vectors.user_tokens[0], k=2)["score"].is_monotonic_decreasing


def test_of_equal_scores_the_lower_id_comes_first() -> None:
    """Every score is 1; users 1 and 2 have had items 1 and 3, and nothing."""
    had = UserLists(np.array([0, 2, 2]), np.array([1, 3]))
    for ranker in (
        VectorRanker(torch.ones(3, 1), torch.ones(6, 1)),
        ScoreRanker(lambda users: torch.ones(len(users), 6), 6),
    ):
        assert ranker(np.array([1, 2]), had, 4, None)[0].tolist() == [[2, 4, 5, 0], [1, 2, 3, 4]]
        assert ranker(np.array([1, 2]), had, 4, np.array([1, 2, 5]))[0].tolist() == [[2, 5, 0, 0], [1, 2, 5, 0]]


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"users": ["1960", "zzzz"]}, r"the users '1960' \(nearest: 196, .*\), 'zzzz'\."),
        ({"users": []}, "list of users is empty"),
        ({"users": "196"}, "not the text '196'"),
        ({"items": []}, "list of items is empty"),
        ({"items": ["nope"]}, "does not know the item 'nope'"),
        ({"k": 1683}, "k is 1,683, and there are 1,682 items"),
        ({"k": 0}, "use 1 to 1,682"),
        ({"history": "all"}, "use 'full' or 'train'"),
        ({"unknown": "skip"}, "'popular'"),
    ],
)
def test_bad_arguments_are_one_sentence(model: Any, asked: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SavedRunError, match=sentence):
        model.recommend(**asked)


def test_what_a_model_is_and_what_it_cannot_be_asked(model: Any) -> None:
    assert repr(model) == "<AlibabaLightGCN trained on ml-100k: 943 users, 1,682 items>"
    for asked in ({}, {"item": "50", "user": "196"}):
        with pytest.raises(SavedRunError, match="give an item or a user, one of the two"):
            model.similar(**asked)
    for rows, sentence in (
        (pd.DataFrame({"user": ["x"], "sku": ["50"]}), "needs the columns user and item; it has user, sku"),
        (pd.DataFrame({"user": [], "item": []}), "has no row"),
    ):
        with pytest.raises(SavedRunError, match=sentence):
            model.fold_in(rows, k=1)


def test_a_popular_list_has_no_explanation(model: Any) -> None:
    found = model.recommend(["nobody", "196"], k=2, explain=True, unknown="popular")
    unknown, known = found[found["user"] == "nobody"], found[found["user"] == "196"]
    assert unknown["because"].tolist() == [[], []] and unknown[["own", "others"]].isna().to_numpy().all()
    assert all(known["because"]) and known[["own", "others"]].notna().to_numpy().all()


@pytest.mark.parametrize("name", ["BPR", "ItemKNN", "NeuMF"])
def test_recboles_models_are_recommended_from_by_their_checkpoint(two_tastes: Path, name: str) -> None:
    settings = {"data_path": str(two_tastes), "epochs": 1, "show_progress": False}
    result = run(name, "two-tastes", config_dict=settings)
    model = load(result["model_file"], trust=True)
    rows = model.recommend(k=5, history="train")
    made = prepare(build_config(name, "two-tastes", config_dict={**settings, "fast_loader": False}))
    made.model.load_state_dict(torch.load(result["model_file"], weights_only=False)["state_dict"])
    from recbole.utils.case_study import full_sort_scores

    users = made.test_data.uid_list
    scores = full_sort_scores(users, made.model.eval(), made.test_data)
    ours = rows[rows["user"].isin(made.dataset.id2token("user_id", users))]
    at = made.dataset.token2id("user_id", ours["user"].to_numpy())
    place = {int(user): row for row, user in enumerate(users)}
    items = made.dataset.token2id("item_id", ours["item"].to_numpy())
    mine = scores[[place[user] for user in at], items].view(-1, 5)
    assert torch.allclose(mine, scores.topk(5).values[[place[user] for user in at[::5]]], atol=1e-6)
    for method in (
        lambda: model.explain("u0", "i1"),
        lambda: model.fold_in(pd.DataFrame({"user": ["a"], "item": "i1"})),
    ):
        with pytest.raises(SavedRunError, match=f"{name} does not have: train AlibabaLightGCN"):
            method()
    if name == "BPR":
        assert load(result["run"]).recommend(k=5, history="train").equals(rows)
    else:
        with pytest.raises(SavedRunError, match=f"{name} has no vectors"):
            model.similar(item="i1")
        with pytest.raises(SavedRunError, match=rf"{name} is no model of user and item vectors.*\.pth --trust"):
            load(result["run"])
