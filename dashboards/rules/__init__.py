"""Alert rules as people keep them: what holds, drafts, what-if, publication by a second person."""
