"""Every reason has one phrase and one place; nobody is told to chase readings."""

import pytest

from billing import missing
from billing.missing import Mend
from billing.outcome import Blocked
from billing.reasons import Reason


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_phrase(reason: Reason) -> None:
    way = missing.shortest_way(Blocked(code="99457", family="rpm_mgmt", reason=reason))
    assert 0 < len(way.text) <= 60


@pytest.mark.parametrize(
    ("reason", "have", "need", "text", "mend"),
    [
        ("MINUTES_BELOW_20", 14, 20, "6 more min for 99457", Mend.TIME),
        ("QHP_MINUTES_BELOW_30", 12, 30, "18 more min of the practitioner", Mend.TIME),
        (
            Reason.NO_INTERACTIVE_COMMUNICATION,
            14,
            20,
            "No real-time contact yet: 14 min logged",
            Mend.CALL,
        ),
        ("DAYS_BELOW_16", 9, 16, "9 of 16 days; measuring follows the order", Mend.WAIT),
        (Reason.NO_CONSENT, None, None, "Consent not on file", Mend.CONSENT),
    ],
)
def test_the_shortest_way(
    reason: str, have: int | None, need: int | None, text: str, mend: Mend
) -> None:
    row = Blocked(code="99457", family="rpm_mgmt", reason=reason, have=have, need=need)
    assert missing.shortest_way(row) == missing.Missing(text=text, mend=mend)
