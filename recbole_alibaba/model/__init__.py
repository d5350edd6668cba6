"""The model: graph, propagation, losses, and the LightGCN variant that uses them."""
