"""How well the shipped models do, as a page with numbers and plots and no picture of a plate."""
