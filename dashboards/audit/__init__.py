"""Who saw whom: the audit trail for those who may read it."""
