"""Characters that readers and people take for one another, and what it costs to do so."""

_COSTS = {"0O": 0.25, "1I": 0.25, "8B": 0.5, "5S": 0.5, "2Z": 0.5}
"""0/O and 1/I have the same shape on many plates; the others differ where a plate is clean and near."""

_SHAPES = str.maketrans({pair[1]: pair[0] for pair in _COSTS})
_COST_OF = {frozenset(pair): cost for pair, cost in _COSTS.items()}


def shape(text: str) -> str:
    """The text without what may be confused: texts of one shape differ in confusions only."""
    return text.translate(_SHAPES)


def cost(text: str, entry: str) -> float:
    """What it costs to take one text for another of the same shape; 0 where they are the same."""
    return sum(_COST_OF[frozenset(pair)] for pair in zip(text, entry, strict=True) if pair[0] != pair[1])
