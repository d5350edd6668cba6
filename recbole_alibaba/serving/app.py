"""The server's routes: recommend, fold in, similar, explain. FastAPI describes them at /docs and /openapi.json."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import anyio.to_thread
import pandas as pd
from fastapi import FastAPI, HTTPException, Path, Query, Request
from fastapi.responses import JSONResponse
from pydantic import AfterValidator

from recbole_alibaba import __version__
from recbole_alibaba.host.errors import SavedRunError
from recbole_alibaba.recommending.model import SavedModel
from recbole_alibaba.serving.answers import (
    LARGEST_K,
    Basket,
    BasketList,
    Explanation,
    Health,
    Id,
    List,
    Neighbour,
    Neighbours,
    Recommended,
    Refusal,
    Share,
)
from recbole_alibaba.serving.middleware import SLASH, BodyLimit, EscapedSlashes

NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"model": Refusal, "description": "An unknown id"}}
CANNOT: dict[int | str, dict[str, Any]] = {400: {"model": Refusal, "description": "This kind of model cannot"}}
TOO_LARGE: dict[int | str, dict[str, Any]] = {413: {"model": Refusal, "description": "A body of more than 1 MB"}}
K = Annotated[int, Query(ge=1, le=LARGEST_K, description="the longest list; it is shorter where the items run out")]
InPath = Annotated[Id, Path(), AfterValidator(lambda text: text.replace(SLASH, "/"))]


def make_app(model: SavedModel) -> FastAPI:
    """A FastAPI application that answers from one model. It keeps nothing of what it is asked."""
    n_items = len(model.items) - 1
    title = f"{model.record['model']} on {model.record['dataset']}"
    app = FastAPI(title=title, version=__version__, lifespan=_lifespan)
    app.add_middleware(BodyLimit)
    app.add_middleware(EscapedSlashes)

    @app.exception_handler(SavedRunError)
    def cannot(request: Request, error: SavedRunError) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, status_code=400)

    @app.get("/health")
    def health() -> Health:
        """Which model answers, and how it did in its test."""
        record = model.record
        return Health(
            model=record["model"],
            dataset=record["dataset"],
            users=len(model.users) - 1,
            items=n_items,
            test_result=record.get("test_result"),
        )

    @app.get("/recommend/{user}", responses=NOT_FOUND | CANNOT)
    def recommend(user: InPath, k: K = 10, seen: bool = False, unknown_is_popular: bool = False) -> List:
        """The best items of a user of the data; for an unknown user 404, or the popular list."""
        if not unknown_is_popular:
            _known(model, user=user)
        found = model.recommend([user], min(k, n_items), seen=seen, unknown="popular")
        return List(user=user, popular=bool(found["popular"].any()), items=_recommended(found))

    @app.post("/recommend", responses=CANNOT | TOO_LARGE)
    def fold_in(basket: Basket) -> BasketList:
        """The best items of a new user, whose vector is one propagation of the items that he has had (LightGCN)."""
        untrained = model.history.degree[model.items.ids(basket.items)] == 0
        left_out = [item for item, out in zip(basket.items, untrained, strict=True) if out]
        history = pd.DataFrame({"user": "", "item": basket.items})
        found = model.fold_in(history, min(basket.k, n_items), seen=basket.seen)
        return BasketList(popular=bool(untrained.all()), left_out=left_out, items=_recommended(found))

    @app.get("/similar/{item}", responses=NOT_FOUND | CANNOT)
    def similar(item: InPath, k: K = 10) -> Neighbours:
        """The items whose vectors have the largest cosine with that of an item."""
        _known(model, item=item)
        found = model.similar(item=item, k=min(k, n_items - 1))
        return Neighbours(item=item, similar=[Neighbour(**row) for row in _rows(found, "rank", "item", "score")])

    @app.get("/explain/{user}/{item}", responses=NOT_FOUND | CANNOT)
    def explain(user: InPath, item: InPath) -> Explanation:
        """How the score of an item for a user divides among the user's own items (LightGCN)."""
        _known(model, user=user, item=item)
        table = model.explain(user, item)
        shares = [Share(**row) for row in _rows(table[table["part"] == "item"], "item", "share")]
        own, popularity = (float(table["share"][table["part"] == part].sum()) for part in ("own", "popularity"))
        score = float(table["share"].sum())
        return Explanation(user=user, item=item, score=score, own=own, shares=shares, popularity=popularity)

    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    # Every answer is arithmetic. More of them at once than cores would only wait for each other.
    anyio.to_thread.current_default_thread_limiter().total_tokens = os.cpu_count() or 1
    yield


def _known(model: SavedModel, **asked: str) -> None:
    for tokens in (model.users, model.items):
        word = asked.get(tokens.kind)
        if word is not None and not tokens.ids([word])[0]:
            raise HTTPException(404, tokens.unknown_sentence([word]))


def _recommended(found: pd.DataFrame) -> list[Recommended]:
    return [Recommended(**row) for row in _rows(found, "rank", "item", "score")]


def _rows(table: pd.DataFrame, *columns: str) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in table[list(columns)].itertuples(index=False, name=None)]
