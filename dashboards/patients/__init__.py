"""The patient record: banner, trends, readings, timeline."""
