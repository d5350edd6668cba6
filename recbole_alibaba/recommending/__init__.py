"""What a trained model is used for: lists, explanations, similar items, vectors for other programs."""
