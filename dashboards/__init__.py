"""The web application for staff and patients."""
