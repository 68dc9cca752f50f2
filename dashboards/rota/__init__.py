"""Teams, who is on call now and next, hand-offs, holidays, and what went wrong with paging."""
