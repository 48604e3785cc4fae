"""What networks of the study score on the test split, for each kind of task."""
