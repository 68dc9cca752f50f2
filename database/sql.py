"""Named SQL: the queries of one folder, read from the `queries.sql` beside its `store.py`."""

import re
from functools import cache
from importlib import resources

_HEADING = re.compile(r"^-- name: ([a-z][a-z0-9_]*)\s*$", re.MULTILINE)


@cache
def load(package: str) -> dict[str, str]:
    """Return name -> statement of `package`'s queries.sql; ValueError on a repeated name.

    A query begins with a line `-- name: its_name`; the comment lines after it describe it.
    """
    text = resources.files(package).joinpath("queries.sql").read_text(encoding="utf-8")
    parts = _HEADING.split(text)[1:]
    names, bodies = parts[::2], parts[1::2]
    if len(set(names)) != len(names):
        raise ValueError(f"{package}/queries.sql repeats a name")
    return {name: body.strip() for name, body in zip(names, bodies, strict=True)}
