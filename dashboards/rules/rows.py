"""Versions, overrides and what-if runs as they are kept. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from alerts.applicability import Level, Override


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """One override with who set it, for whom, and why."""

    id: UUID
    level: str
    rule_id: str
    changes: dict[str, object]
    disabled: bool
    effective_from: datetime
    expires_at: datetime
    review_at: datetime
    patient_id: UUID | None
    programme: str | None
    reason: str
    set_at: datetime
    set_by: str
    number: int | None
    """The version that it came with."""
    family_name: str | None
    given_name: str | None
    mrn: str | None

    @property
    def override(self) -> Override:
        """As the alert rules know it."""
        return Override(
            id=self.id,
            level=Level[self.level.upper()],
            rule_id=self.rule_id,
            changes=self.changes,
            disabled=self.disabled,
            effective_from=self.effective_from,
            expires_at=self.expires_at,
            patient_id=self.patient_id,
            programme=self.programme,
        )

    @property
    def told(self) -> dict[str, object]:
        """The changes as a draft writes them."""
        return {"disabled": True} if self.disabled else self.changes


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A draft, or what became of it."""

    id: UUID
    programme: str | None
    number: int | None
    title: str
    state: str
    changes: dict[str, dict[str, object]]
    based_on: int
    edited_by: list[UUID]
    drafted_by: UUID
    drafted_at: datetime
    edited_at: datetime | None
    published_by: UUID | None
    published_at: datetime | None
    reason: str
    effective_from: datetime | None
    expires_at: datetime | None
    replay: dict[str, object] | None
    drafter: str
    publisher: str | None

    @property
    def is_draft(self) -> bool:
        """Whether it may still be changed."""
        return self.state == "draft"

    @property
    def writers(self) -> Collection[UUID]:
        """Everybody who wrote part of it."""
        return {self.drafted_by, *self.edited_by}


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A what-if run, and its answer."""

    id: UUID
    state: str
    draft: dict[str, dict[str, object]]
    days: int
    patients: int | None
    done: int
    total: int
    result: dict[str, object] | None
    error: str
    asked_at: datetime
    ended_at: datetime | None

    @property
    def runs(self) -> bool:
        """Whether an answer may still come."""
        return self.state in {"asked", "running"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """A patient as named in a what-if answer."""

    id: UUID
    family_name: str
    given_name: str
    mrn: str
