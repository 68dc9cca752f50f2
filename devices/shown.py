"""Decoded fields as shown to people and tools: JSON-able, in the units of the wire."""

Field = float | str | bool | list[float] | list[str] | None
Fields = dict[str, Field]


def text(value: object) -> str | None:
    """Return a timestamp or other value as text, None if it is absent."""
    return None if value is None else str(value)


def given(**fields: Field) -> Fields:
    """Return the fields that the frame has."""
    return {name: field for name, field in fields.items() if field is not None}
