"""How good the reading is: labelled pictures and clips, and the scores of what was read there."""
