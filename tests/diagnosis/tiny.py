"""A matrix factorisation of a few rows, and an experiment around it, for checks whose numbers are made by hand."""

from types import SimpleNamespace

import torch
from recbole.data.interaction import Interaction
from recbole.model.loss import BPRLoss

from recbole_alibaba.experiment import Experiment


class Tiny(torch.nn.Module):
    """Users and items as RecBole's general models have them, row 0 is padding."""

    USER_ID, ITEM_ID, NEG_ITEM_ID = "user_id", "item_id", "neg_item_id"
    device = "cpu"

    def __init__(self, n_users=6, n_items=9, scale=1.0):
        super().__init__()
        self.n_users, self.n_items = n_users, n_items
        generator = torch.Generator().manual_seed(3)
        self.user_embedding = torch.nn.Embedding(n_users, 4)
        self.item_embedding = torch.nn.Embedding(n_items, 4)
        self.loss = BPRLoss()
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(scale * torch.randn(parameter.shape, generator=generator))

    def predict(self, batch):
        return (self.user_embedding(batch[self.USER_ID]) * self.item_embedding(batch[self.ITEM_ID])).sum(1)

    def calculate_loss(self, batch):
        negative = Interaction({self.USER_ID: batch[self.USER_ID], self.ITEM_ID: batch[self.NEG_ITEM_ID]})
        return self.loss(self.predict(batch), self.predict(negative))


def batch(users, items, negatives):
    columns = {"user_id": users, "item_id": items, "neg_item_id": negatives}
    return Interaction({name: torch.as_tensor(values) for name, values in columns.items()})


def loader(users, items):
    """As much of a loader as says which rows it has."""
    return SimpleNamespace(_dataset=SimpleNamespace(inter_feat={"user_id": users, "item_id": items}))


def experiment(model, batches=(), valid=None, trainer=None, **settings):
    sides = {"user_num": model.n_users, "item_num": model.n_items, "uid_field": "user_id", "iid_field": "item_id"}
    trainer = trainer or SimpleNamespace(optimizer=torch.optim.Adam(model.parameters(), lr=0.01))
    return Experiment(
        {"device": "cpu", **settings}, SimpleNamespace(**sides), list(batches), valid, None, model, trainer
    )
