"""Views that people save over the worklist: their own, or shared with everybody of the clinic."""
