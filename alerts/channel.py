"""The two notification channels: their names and what they carry, which is ids only."""

import json

from alerts.lifecycle import Episode

EVALUATE = "tidings_evaluate"
WORKLIST = "tidings_worklist"


def changed(episode: Episode, *, new: bool) -> str:
    """Return what browsers are told of a changed episode: no name, no value."""
    return json.dumps(
        {
            "episode": str(episode.id),
            "organisation": str(episode.organisation_id),
            "severity": int(episode.severity),
            "new": new,
            "version": episode.version,
        },
        separators=(",", ":"),
    )
