"""Other people's annotations become dataset folders: `images/` and `labels.jsonl`."""
