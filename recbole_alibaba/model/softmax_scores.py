"""The scores that a sampled softmax learns: cosines over the temperature, and the items' log popularity."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor


def log_popularity(users: np.ndarray, items: np.ndarray, n_items: int, users_alike: bool) -> Tensor:
    """Logarithm of the probability that an item is drawn as a positive, float32 (n_items,).

    An item that is never drawn, such as the padding, counts as the rarest one that is.

    Args:
        users, items: of the training interactions, (n,).
        users_alike: whether a user is drawn first, all alike; else an interaction is.
    """
    weight = 1 / np.bincount(users)[users] if users_alike else np.ones(len(users))
    share = np.bincount(items, weight, minlength=n_items) / weight.sum()
    share[share == 0] = share[share > 0].min()
    return torch.from_numpy(np.log(share)).float()


def user_vectors(final: Tensor, temperature: float) -> Tensor:
    """Final embeddings of users (n, d) as vectors (n, d + 1); one without any direction stays zero."""
    lengths = torch.linalg.vector_norm(final, dim=1, keepdim=True)
    return torch.cat((F.normalize(final, dim=1) / temperature, (lengths > 0).to(final.dtype)), 1)


def item_vectors(final: Tensor, popularity: Tensor) -> Tensor:
    """Final embeddings of items (n, d) as vectors (n, d + 1), whose products with `user_vectors` are the scores.

    The score of user u and item i is

        cos(e_u, e_i) / temperature + popularity_i,    popularity_i = exponent * log q_i

    The items of a batch, the negatives of the sampled softmax, are drawn as the positives are, with probability q. So
    cos / temperature learns log p(i | u) - log q_i, up to a constant for each user, and with exponent 1 the score is
    log p(i | u). A smaller exponent gives rarer items more room.

    Source: Bengio and Senécal, "Adaptive Importance Sampling to Accelerate Training of a Neural Probabilistic Language
    Model", IEEE TNN 2008; Yi et al., "Sampling-Bias-Corrected Neural Modeling for Large Corpus Item Recommendations",
    RecSys 2019.

    Args:
        popularity: (n,).
    """
    return torch.cat((F.normalize(final, dim=1), popularity.unsqueeze(1).to(final.dtype)), 1)
