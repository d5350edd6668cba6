"""RecBole's Trainer with named losses, gradient norms and a watch on whether the loss moves."""
