"""The rail: which pages there are, and what one must hold to see them."""

from dataclasses import dataclass

from dashboards.permissions import Verb


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One entry of the rail."""

    id: str
    name: str
    icon: str
    address: str
    verb: Verb
    is_last: bool = False


NAVIGATION = (
    Item(id="worklist", name="Worklist", icon="inbox", address="/worklist", verb=Verb.SEE_WORKLIST),
    Item(id="patients", name="Patients", icon="users", address="/patients", verb=Verb.SEE_PATIENT),
    Item(id="tasks", name="Tasks", icon="list-checks", address="/tasks", verb=Verb.DOCUMENT),
    Item(
        id="messages",
        name="Messages",
        icon="message-square-text",
        address="/messages",
        verb=Verb.DOCUMENT,
    ),
    Item(
        id="billing",
        name="Billing",
        icon="receipt-text",
        address="/billing",
        verb=Verb.SEE_BILLING,
    ),
    Item(id="fleet", name="Devices", icon="radio-tower", address="/fleet", verb=Verb.SEE_FLEET),
    Item(id="rota", name="On call", icon="phone", address="/rota", verb=Verb.SEE_ROTA),
    Item(id="audit", name="Audit", icon="scroll-text", address="/audit", verb=Verb.SEE_AUDIT),
    Item(id="access", name="Glass", icon="lock-open", address="/access", verb=Verb.SEE_AUDIT),
    Item(
        id="rules",
        name="Rules",
        icon="sliders-horizontal",
        address="/admin/rules",
        verb=Verb.DRAFT_RULES,
    ),
    Item(
        id="admin",
        name="Admin",
        icon="settings",
        address="/admin",
        verb=Verb.ADMINISTER,
        is_last=True,
    ),
)
