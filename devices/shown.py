"""Decoded fields as shown to people and tools: JSON-able, in the units of the wire."""

from devices import bits

Field = float | str | bool | list[float] | list[str] | None
Fields = dict[str, Field]


def text(value: object) -> str | None:
    """Return a timestamp or other value as text, None if it is absent."""
    return None if value is None else str(value)


def user(raw: int | None) -> Fields:
    """Return the user slot that the frame has: None inside if the device does not know whose."""
    return {} if raw is None else {"user_id": bits.user_slot(raw)}


def given(**fields: Field) -> Fields:
    """Return the fields that the frame has."""
    return {name: field for name, field in fields.items() if field is not None}
