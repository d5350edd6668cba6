"""What the server takes and gives: every body and answer, with its bounds."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

LARGEST_K = 1000
LONGEST_ID = 256
LARGEST_HISTORY = 10_000

Id = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_ID, pattern=r"^[^\x00-\x1f\x7f]+$")]


def _whole(number: Any) -> Any:
    return int(number) if isinstance(number, float) and number.is_integer() else number


Whole = Annotated[int, BeforeValidator(_whole)]
"""JSON Schema counts 10.0 as an integer, and pydantic's strict mode does not."""


class Closed(BaseModel):
    """A body whose misspelt fields are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Recommended(Closed):
    """One item of a list."""

    rank: int = Field(ge=1, description="1 is the best")
    item: str
    score: float = Field(description="the model's score, or training interactions in the popular list")


class List(Closed):
    """The best items of a user of the data."""

    user: str
    popular: bool = Field(description="the user is unknown, and this is the popular list")
    items: list[Recommended]


class Basket(Closed):
    """A new user, given as items."""

    items: list[Id] = Field(min_length=1, max_length=LARGEST_HISTORY, description="what the user has had")
    k: Whole = Field(10, ge=1, le=LARGEST_K)
    seen: bool = Field(False, description="whether these items may be recommended, too")


class BasketList(Closed):
    """The best items of a new user."""

    popular: bool = Field(description="none of the items was trained on, and this is the popular list")
    left_out: list[str] = Field(description="items that the model was not trained on")
    items: list[Recommended]


class Neighbour(Closed):
    """One similar item."""

    rank: int = Field(ge=1)
    item: str
    score: float = Field(description="the cosine of the two vectors")


class Neighbours(Closed):
    """The items nearest to an item."""

    item: str
    similar: list[Neighbour]


class Share(Closed):
    """What one of the user's own items adds to a score."""

    item: str
    share: float


class Explanation(Closed):
    """A score in parts; own, popularity and the shares add up to it."""

    user: str
    item: str
    score: float
    own: float = Field(description="the part of the user's own embedding")
    shares: list[Share] = Field(description="the user's training items, the largest share first")
    popularity: float = Field(description="the item's popularity, for a model of the softmax; else 0")


class Health(Closed):
    """The model that answers."""

    model: str
    dataset: str
    users: int
    items: int
    test_result: dict[str, float | None] | None


class Refusal(BaseModel):
    """Why there is no answer; for a body or parameter of the wrong form, a list of such reasons."""

    detail: str | list[dict[str, Any]]
