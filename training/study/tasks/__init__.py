"""What networks of the study are trained for: material, loss and scores."""
