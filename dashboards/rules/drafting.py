"""What is done to drafts of rules, for pages and programs: begun, changed, dropped, published."""

from collections.abc import Mapping
from uuid import UUID

from alerts import applicability
from alerts.rules import Rule
from dashboards.door import MissingError, RefusedError, Visit
from dashboards.rules import gather, publishing, store
from dashboards.rules.publishing import Refusal, Signing
from dashboards.rules.rows import Version
from dashboards.rules.store import Publication


async def begun(visit: Visit, programme: str) -> UUID:
    """Begin a draft from what holds now, for the organisation or a programme; one at a time."""
    await known_programme(visit, programme)
    held = await gather.holding(visit, programme or None)
    made = await store.begin(
        visit.connection,
        held.programme,
        held.changes(visit.now),
        based_on=held.number,
        by=visit.staff.id,
        now=visit.now,
    )
    if made is None:
        raise RefusedError("There is a draft already. Reload the page to see it.")
    await visit.record("change", "rules", made, detail={"what": "begin a draft"})
    return made


async def known_programme(visit: Visit, programme: str) -> None:
    """Refuse a programme that nobody is enrolled in; empty is the organisation."""
    if programme and programme not in await store.programmes(visit.connection):
        raise MissingError


async def draft(visit: Visit, version_id: UUID) -> Version:
    """Return a draft that nobody else changes meanwhile."""
    found = await store.locked(visit.connection, version_id)
    if found is None:
        raise MissingError
    if not found.is_draft:
        raise RefusedError("A published version is not changed. Begin a new draft.")
    return found


def checked(product: Rule, changes: Mapping[str, object]) -> dict[str, object]:
    """Return changes as a draft keeps them; RuleError if a rule cannot take them."""
    if changes.get("disabled") is True:
        return {"disabled": True}
    applicability.validated(product, changes)
    return dict(changes)


async def changed(
    visit: Visit, draft: Version, rule_id: str, changes: Mapping[str, object]
) -> None:
    """Let a draft change one rule; no changes take the product's own rule back."""
    others = {name: each for name, each in draft.changes.items() if name != rule_id}
    kept = {**others, rule_id: dict(changes)} if changes else others
    await store.save(visit.connection, draft.id, kept, by=visit.staff.id, now=visit.now)
    told = {"what": "edit the draft", "rule": rule_id, "changes": dict(changes)}
    await visit.record("change", "rules", draft.id, detail=told)


async def dropped(visit: Visit, version_id: UUID) -> Version:
    """Throw a draft away; it stays on record."""
    found = await draft(visit, version_id)
    await store.drop(visit.connection, version_id)
    await visit.record("change", "rules", version_id, detail={"what": "drop the draft"})
    return found


async def published(
    visit: Visit, version_id: UUID, reason: str, effective_from: str
) -> Refusal | None:
    """Publish a draft as somebody who wrote no part of it, or say why not."""
    found = await store.locked(visit.connection, version_id)
    if found is None:
        raise MissingError
    begins = publishing.begins(effective_from, visit.zone, visit.now)
    held = await gather.holding(visit, found.programme)
    seen = await gather.what_if(visit, found, held)
    signing = Signing(
        is_draft=found.is_draft,
        is_changed=found.changes != held.changes(visit.now),
        is_current=found.based_on == held.number,
        has_what_if=bool(seen and seen.is_current and seen.found and seen.run.patients is None),
        writers=found.writers,
        by=visit.staff.id,
        reason=reason,
        effective_from=begins or visit.now,
    )
    why = Refusal.PAST if begins is None else publishing.refusal(signing, now=visit.now)
    if why or seen is None:
        return why
    await _publish(visit, found, signing, seen.run.result or {})
    return None


async def _publish(
    visit: Visit, found: Version, signing: Signing, replay: Mapping[str, object]
) -> None:
    reason = signing.reason.strip()
    publication = Publication(
        version=found,
        by=signing.by,
        reason=reason,
        effective_from=signing.effective_from,
        replay=replay,
    )
    number = await store.publish(visit.connection, publication, now=visit.now)
    told = {"what": "publish", "number": number, "reason": reason}
    await visit.record("change", "rules", found.id, detail=told)
