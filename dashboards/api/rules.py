"""Alert rules for programs: what holds, drafts and versions, publication, patients' own limits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Path, Query, Response
from pydantic import Field, JsonValue

from alerts.rules import Rule, RuleError
from dashboards.api import edge
from dashboards.api.edge import (
    Asked,
    ConflictError,
    GivenDate,
    Listed,
    Made,
    Moment,
    New,
    Page,
    SeverityWord,
    Text,
    Told,
)
from dashboards.door import MissingError, Visit, holding
from dashboards.patients.routes import known
from dashboards.permissions import Verb
from dashboards.rules import drafting, gather, limits, rows, store, whatif, words
from dashboards.rules.limits import Wish
from dashboards.rules.standing import Standing

router = edge.router("rules")
Drafting = Annotated[Visit, holding(Verb.DRAFT_RULES)]
Publishing = Annotated[Visit, holding(Verb.PUBLISH_RULES)]
Looking = Annotated[Visit, holding(Verb.SEE_PATIENT)]
Setting = Annotated[Visit, holding(Verb.SET_LIMITS)]
RuleId = Annotated[str, Path(pattern="^[a-z0-9_.-]{1,80}$", description="Of the product.")]
Programme = Annotated[Text, Field(max_length=80, description="Empty: the organization.")]
Why = Annotated[Text, Field(min_length=1, max_length=500)]
Given = Annotated[
    dict[str, JsonValue],
    Field(
        max_length=40,
        description='Changed fields, as a version holds them, or {"disabled": true}; empty: none.',
    ),
]


class RuleTold(Told):
    """One rule as it holds for a scope."""

    id: str
    version: str
    profile: str
    metric: Annotated[str, Field(description="What it judges.")]
    severity: SeverityWord
    title: str
    sentence: Annotated[str, Field(description="When it fires, in words.")]
    level: Annotated[str | None, Field(description="Whose change holds; null: nobody's.")]
    is_off: bool
    later: Annotated[bool, Field(description="A change has been signed that begins later.")]


class Version(Told):
    """A draft, or what became of it."""

    id: UUID
    programme: Annotated[str | None, Field(description="Null: the organization.")]
    number: Annotated[int | None, Field(description="Null: not published.")]
    state: str
    changes: Annotated[dict[str, dict[str, object]], Field(description="By rule.")]
    based_on: Annotated[int, Field(description="The version it began from; 0: none.")]
    drafter: str
    drafted_at: Moment
    edited_at: Moment | None
    publisher: str | None
    published_at: Moment | None
    reason: str
    effective_from: Moment | None
    expires_at: Moment | None


class OwnLimit(Told):
    """A patient's own change to one rule."""

    id: UUID
    rule_id: str
    changes: dict[str, object]
    disabled: bool
    reason: str
    set_by: str
    set_at: Moment
    effective_from: Moment
    expires_at: Moment
    review_at: Moment


class PatientLimits(Told):
    """The rules that judge a patient's readings, and the patient's own limits."""

    rules: list[RuleTold]
    own: list[OwnLimit]
    past: list[OwnLimit]


class NewDraft(Asked):
    """Which scope the draft is for."""

    programme: Programme = ""


class Changes(Asked):
    """What a draft changes about one rule."""

    changes: Given


class Publication(Asked):
    """Why, and from when on; whoever wrote part of the draft cannot publish it."""

    reason: Why
    effective_from: Annotated[GivenDate | None, Field(description="Null: at once.")] = None


class Question(Asked):
    """Over how much history a draft is tried."""

    days: Literal[30, 90, 365] = 30
    sample: Annotated[bool, Field(strict=True, description="A few patients, in seconds.")] = False


class NewLimit(Changes):
    """A patient's own change to one rule, with a reason and an end."""

    reason: Why
    expires: Annotated[GivenDate, Field(description="Its last day, within a year.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Limits:
    rules: list[Mapping[str, object]]
    own: list[rows.Signed]
    past: list[rows.Signed]


@router.get("/rules", response_model=Page[RuleTold])
async def rules(
    visit: Drafting, programme: Annotated[Text, Query(max_length=80)] = ""
) -> Listed[Mapping[str, object]]:
    """Every rule as it holds for the organization, or for one programme."""
    await drafting.known_programme(visit, programme)
    held = await gather.holding(visit, programme or None)
    await visit.record("look", "rules", programme or "organisation")
    groups = held.standings(visit.now)
    return Listed(items=[_standing(each) for _, found in groups for each in found])


@router.get("/rule-versions", response_model=Page[Version])
async def rule_versions(visit: Drafting) -> Listed[rows.Version]:
    """Drafts first, then published versions, newest first."""
    await visit.record("look", "rules", "versions")
    return Listed(items=await store.versions(visit.connection))


@router.post("/rule-versions", status_code=201, response_model=Made)
async def begin_draft(visit: Drafting, asked: NewDraft) -> New:
    """Begin a draft from what holds now; a scope has one at a time."""
    try:
        with edge.refusing("DRAFT_EXISTS"):
            return New(id=await drafting.begun(visit, asked.programme))
    except MissingError as error:
        raise ConflictError("NO_PROGRAMME", "Nobody is in that programme.") from error


@router.get("/rule-versions/{version_id}", response_model=Version)
async def rule_version(visit: Drafting, version_id: UUID) -> rows.Version:
    """One version."""
    await visit.record("look", "rules", version_id)
    return await gather.version(visit, version_id)


@router.post("/rule-versions/{version_id}/rules/{rule_id}", status_code=204)
async def change_rule(
    visit: Drafting, version_id: UUID, rule_id: RuleId, asked: Changes
) -> Response:
    """Let a draft change one rule; empty changes take the product's own back."""
    with edge.refusing("NO_DRAFT"):
        draft = await drafting.draft(visit, version_id)
    await drafting.changed(visit, draft, rule_id, _checked(rule_id, asked.changes))
    return Response(status_code=204)


@router.post("/rule-versions/{version_id}/drop", status_code=204)
async def drop_draft(visit: Drafting, version_id: UUID) -> Response:
    """Throw a draft away; it stays on record."""
    with edge.refusing("NO_DRAFT"):
        await drafting.dropped(visit, version_id)
    return Response(status_code=204)


@router.post("/rule-versions/{version_id}/what-if", status_code=202, response_model=Made)
async def ask_what_if(visit: Drafting, version_id: UUID, asked: Question) -> New:
    """Ask what a draft would have done; `/replays/{id}` answers. Publishing needs all patients."""
    patients = whatif.SAMPLE if asked.sample else None
    with edge.refusing("NO_DRAFT"):
        return New(id=await whatif.asked(visit, version_id, asked.days, patients))


@router.post("/rule-versions/{version_id}/publish", status_code=204)
async def publish_draft(visit: Publishing, version_id: UUID, asked: Publication) -> Response:
    """Publish a draft as a second person, once its what-if is known."""
    begins = str(asked.effective_from or "")
    why = await drafting.published(visit, version_id, asked.reason, begins)
    if why:
        raise ConflictError(why.name, why)
    return Response(status_code=204)


@router.get("/patients/{patient_id}/limits", response_model=PatientLimits)
async def patient_limits(visit: Looking, patient_id: UUID) -> _Limits:
    """The rules that judge a patient's readings, and the patient's own limits."""
    who = await known(visit.connection, patient_id)
    await visit.record("look", "limits", patient_id, patient_id=patient_id)
    found = await store.overrides(visit.connection, visit.now, patient_id)
    levels = limits.levels(found, visit.now)
    return _Limits(
        rules=[
            _rule(each, level=levels.get(each.id))
            for each in await limits.in_force(visit, who, found)
        ],
        own=[each for each in found if each.level == "patient"],
        past=await store.past(visit.connection, visit.now, patient_id),
    )


@router.post("/patients/{patient_id}/limits/rules/{rule_id}", status_code=204)
async def set_limit(visit: Setting, patient_id: UUID, rule_id: RuleId, asked: NewLimit) -> Response:
    """Give a patient a limit of their own."""
    who = await known(visit.connection, patient_id)
    wish = Wish(
        rule_id=rule_id,
        changes=_checked(rule_id, asked.changes),
        reason=asked.reason.strip(),
        last_day=str(asked.expires),
    )
    try:
        await limits.given(visit, who, wish)
    except RuleError as error:
        raise ConflictError("UNUSABLE", f"{error}.") from error
    return Response(status_code=204)


@router.post("/patients/{patient_id}/limits/{limit_id}/end", status_code=204)
async def end_limit(visit: Setting, patient_id: UUID, limit_id: UUID) -> Response:
    """End a patient's own limit now."""
    await limits.ended(visit, patient_id, limit_id)
    return Response(status_code=204)


def _checked(rule_id: str, changes: Mapping[str, object]) -> dict[str, object]:
    try:
        return drafting.checked(gather.rule(rule_id), changes)
    except (RuleError, KeyError) as error:
        raise ConflictError("UNUSABLE", f"The changes cannot be used: {error}.") from error


def _standing(each: Standing) -> Mapping[str, object]:
    level = each.level.name.lower() if each.level is not None else None
    return _rule(each.rule, level=level, is_off=each.is_off, later=each.later)


def _rule(
    rule: Rule, *, level: str | None, is_off: bool = False, later: bool = False
) -> Mapping[str, object]:
    return {
        "id": rule.id,
        "version": rule.version,
        "profile": rule.profile,
        "metric": rule.metric,
        "severity": rule.severity,
        "title": words.title(rule.id),
        "sentence": words.sentence(rule),
        "level": level,
        "is_off": is_off,
        "later": later,
    }
