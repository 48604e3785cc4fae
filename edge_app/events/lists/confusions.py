"""Characters that readers and people confuse, and the cost of each confusion."""

_COSTS = {"0O": 0.25, "1I": 0.25, "8B": 0.5, "5S": 0.5, "2Z": 0.5}
"""0/O and 1/I have the same shape on many plates; the others differ on a plate that is clean and near."""

_SHAPES = str.maketrans({pair[1]: pair[0] for pair in _COSTS})
_COST_OF = {frozenset(pair): cost for pair, cost in _COSTS.items()}


def shape(text: str) -> str:
    """The text with one character for each pair that may be confused: texts of one shape differ in confusions only."""
    return text.translate(_SHAPES)


def cost(text: str, entry: str) -> float:
    """The cost of confusing two texts of the same shape; 0 if they are the same."""
    return sum(_COST_OF[frozenset(pair)] for pair in zip(text, entry, strict=True) if pair[0] != pair[1])
