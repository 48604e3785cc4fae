"""A settled plate is looked up in the operator's lists, which say what it is here."""
