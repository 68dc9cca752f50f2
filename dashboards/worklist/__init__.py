"""The worklist: open episodes in the order in which somebody must answer them."""
