"""What billing knows about one patient, parsed. It holds facts and no decisions."""

from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from billing.reasons import EntryReason, ReadingReason

Override = bool | int | str | None | list[int | str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneChange:
    """From which local date on the patient lives in another zone."""

    on: date
    zone: ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """The person, as far as eligibility depends on it."""

    id: str
    zone: ZoneInfo | None
    moves: tuple[ZoneChange, ...] = ()
    established: bool = False
    prior_visit_on: date | None = None
    chronic_conditions: int = 0
    qmb: bool = False
    pace: bool = False
    access_aligned: bool = False
    died_on: date | None = None
    payer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """The patient's agreement to one programme, with its withdrawal if there was one."""

    id: str
    program: str
    at: datetime
    withdrawn_at: datetime | None = None
    valid: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The practitioner's order for one programme."""

    id: str
    program: str
    at: datetime
    ended_at: datetime | None = None
    ordering_npi: str = ""
    icd10: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One episode of monitoring, from set-up until its goals are reached."""

    id: str
    program: str
    system: str = ""
    monitoring_start: date | None = None
    education_on: date | None = None
    education_id: str = ""
    setup_already_billed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One measurement; `flaw` is what the door already knows against it."""

    id: str
    at: datetime
    device: str
    program: str
    manual: bool = False
    received_at: datetime | None = None
    flaw: ReadingReason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeEntry:
    """One stretch of one person's work for one patient and one programme."""

    id: str
    start: datetime
    end: datetime
    staff_id: str
    role: str
    program: str
    activity: str
    patient_id: str = ""
    interactive: bool = False
    mode: str = ""
    spoke_with: str = "patient"
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BilledClaim:
    """A claim that exists already; `own` when this practice sent it."""

    code: str
    first: date
    last: date
    billing_npi: str = ""
    own: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """Inpatient dates, both counted; no last date means still in hospital."""

    first: date
    last: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A row that could not be used, where it stood and why: shown, never dropped."""

    where: str
    program: str
    reason: EntryReason | ReadingReason
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactAttempt:
    """One try to reach the patient after discharge."""

    on: date
    successful: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Discharge:
    """What transitional care needs to know about one discharge."""

    on: date
    qualifying_facility: bool = False
    to_community: bool = False
    attempts: tuple[ContactAttempt, ...] = ()
    visit_on: date | None = None
    mdm: str = ""
    med_rec_on: date | None = None
    died_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Statements:
    """What the practice states for the month: plans, visits, attestations."""

    care_plan: bool = False
    complex_mdm: bool = False
    plan_revised: bool = False
    apcm_chosen: bool = False
    apcm_attested: bool = False
    apcm_qmb: bool = False
    apcm_behavioural: str = ""
    initiating_visits: dict[str, date | None] = field(default_factory=dict)
    home_health: frozenset[str] = frozenset()
    high_risk: frozenset[str] = frozenset()
    cocm_registry: bool = False
    cocm_consultant: bool = False
    cocm_first_month: bool = False
    assessment_on: date | None = None
    assessment_kind: str = ""
    last_assessment_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parties:
    """Who bills and who rendered, for the claim."""

    billing_npi: str = ""
    rendering_npi: str = ""
    place_of_service: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One patient's month (and device window) to be judged, with everything it may rest on."""

    patient: Patient
    organisation_zone: ZoneInfo | None
    as_of: datetime
    families: tuple[str, ...]
    window: tuple[date, date] | None = None
    month: date | None = None
    consents: tuple[Consent, ...] = ()
    orders: tuple[Order, ...] = ()
    episodes: tuple[Episode, ...] = ()
    readings: tuple[Reading, ...] = ()
    entries: tuple[TimeEntry, ...] = ()
    visits: frozenset[date] = frozenset()
    stays: tuple[Stay, ...] = ()
    claims: tuple[BilledClaim, ...] = ()
    discharge: Discharge | None = None
    statements: Statements = Statements()
    parties: Parties = Parties()
    rejected: tuple[Rejected, ...] = ()
    remarks: tuple[str, ...] = ()
    parameters: dict[str, Override] = field(default_factory=dict)

    def zone_on(self, day: date) -> ZoneInfo | None:
        """Return the patient's zone in force on a day; a move counts from the next window on."""
        passed = [move for move in self.patient.moves if move.on <= day]
        return max(passed, key=lambda move: move.on).zone if passed else self.patient.zone

    def episode_of(self, program: str, day: date) -> Episode | None:
        """Return the latest episode of a programme that had begun by a day."""
        fitting = [
            episode
            for episode in self.episodes
            if episode.program == program and (episode.monitoring_start or day) <= day
        ]
        return max(fitting, key=_start_of, default=None)

    def rtm_system(self, episode: Episode | None) -> str:
        """Return the body system monitored: the episode's, else the only one stated."""
        if episode is not None and episode.system:
            return episode.system
        return next((other.system for other in self.episodes if other.system), "")


def _start_of(episode: Episode) -> tuple[date, str]:
    return episode.monitoring_start or date.min, episode.id
