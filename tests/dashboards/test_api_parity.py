"""Whatever a page can do, a program can: each page's action has an operation, or a reason why not.

A page's route that changes something fails here until it has one of the two.
"""

from dashboards.api import document
from dashboards.permissions import Verb
from tests.dashboards.table import Route, routes, verbs_of

OWN = "somebody's own way of signing in: a token has none"
OPEN = "open to whoever is not signed in yet, or never is"
SCREEN = "belongs to what one person has on the screen"
PERSON = "a person must do it, by hand: tokens make no tokens and break no glass"
ON_PURPOSE = {
    "POST /account/code": OWN,
    "POST /account/passkeys": OWN,
    "POST /account/passkeys/options": OWN,
    "POST /account/passkeys/{passkey_id}/name": OWN,
    "POST /account/passkeys/{passkey_id}/remove": OWN,
    "POST /account/password": OWN,
    "POST /account/sessions/{session_id}/end": OWN,
    "POST /account/sign-out-elsewhere": OWN,
    "POST /logout": OWN,
    "POST /login": OPEN,
    "POST /login/code": OPEN,
    "POST /login/passkey": OPEN,
    "POST /login/passkey/options": OPEN,
    "POST /gateways/enrol": OPEN,
    "POST /page/{token}": OPEN,
    "PUT /episodes/{episode_id}/draft": SCREEN,
    "POST /episodes/{episode_id}/viewing": SCREEN,
    "POST /patients/{patient_id}/beat": SCREEN,
    "POST /patients/{patient_id}/time/save": SCREEN,
    "POST /admin/tokens": PERSON,
    "POST /admin/tokens/{token_id}/revoke": PERSON,
    "POST /patients/{patient_id}/open": PERSON,
    "POST /access/{glass_id}/end": PERSON,
}
COUNTERPARTS = {
    "POST /access/teams/{team_id}": "close_team",
    "POST /access/{glass_id}/review": "review_glass",
    "POST /admin/rules/drafts": "begin_draft",
    "POST /admin/rules/versions/{version_id}/drop": "drop_draft",
    "POST /admin/rules/versions/{version_id}/publish": "publish_draft",
    "POST /admin/rules/versions/{version_id}/rules/{rule_id}": "change_rule",
    "POST /admin/rules/versions/{version_id}/rules/{rule_id}/restore": "change_rule",
    "POST /admin/rules/versions/{version_id}/what-if": "ask_what_if",
    "POST /admin/rules/versions/{version_id}/what-if/cancel": "cancel_replay",
    "POST /admin/users": "add_user",
    "POST /admin/users/{staff_id}/disable": "disable_user",
    "POST /admin/users/{staff_id}/enable": "enable_user",
    "POST /admin/users/{staff_id}/forget-code": "forget_code",
    "POST /admin/users/{staff_id}/role": "set_role",
    "POST /billing/jobs/{job_id}/cancel": "cancel_billing_job",
    "POST /billing/patients/{patient_id}/ask": "ask_care_team",
    "POST /billing/patients/{patient_id}/papers/consent": "add_consent",
    "POST /billing/patients/{patient_id}/papers/device": "label_device",
    "POST /billing/patients/{patient_id}/papers/education": "add_education",
    "POST /billing/patients/{patient_id}/papers/order": "add_order",
    "POST /billing/patients/{patient_id}/papers/statement": "add_statement",
    "POST /billing/patients/{patient_id}/papers/visit": "add_visit",
    "POST /billing/patients/{patient_id}/papers/withdrawal": "withdraw_consent",
    "POST /billing/{month}/answers": "answer_month",
    "POST /billing/{month}/jobs/{kind}": "start_billing_job",
    "POST /billing/{month}/lines/{line_id}/answer": "answer_line",
    "POST /billing/{month}/lines/{line_id}/confirm": "confirm_line",
    "POST /billing/{month}/reopen": "reopen_month",
    "POST /billing/{month}/review": "review_month",
    "POST /billing/{month}/sign": "sign_month",
    "POST /episodes/{episode_id}/claim": "claim",
    "POST /episodes/{episode_id}/escalate": "escalate",
    "POST /episodes/{episode_id}/note": "note",
    "POST /episodes/{episode_id}/release": "release",
    "POST /episodes/{episode_id}/resolve": "resolve",
    "POST /episodes/{episode_id}/snooze": "snooze",
    "POST /episodes/{episode_id}/take-over": "take_over",
    "POST /episodes/{episode_id}/undo": "undo",
    "POST /fleet/devices/{device_id}/assign": "assign_device",
    "POST /fleet/hubs": "add_gateway",
    "POST /fleet/hubs/{gateway_id}/code": "offer_code",
    "POST /fleet/hubs/{gateway_id}/devices": "add_device",
    "POST /fleet/hubs/{gateway_id}/orders": "give_order",
    "POST /fleet/hubs/{gateway_id}/orders/{order_id}/again": "give_order_again",
    "POST /fleet/hubs/{gateway_id}/revoke": "revoke_gateway",
    "POST /identity/{quarantine_id}/reject": "reject_reading",
    "POST /identity/{quarantine_id}/release": "release_reading",
    "POST /patients/search": "search_patients",
    "POST /patients/{patient_id}/limits/rules/{rule_id}": "set_limit",
    "POST /patients/{patient_id}/limits/{limit_id}/end": "end_limit",
    "POST /patients/{patient_id}/messages": "send_message",
    "POST /patients/{patient_id}/programs": "enrol",
    "POST /patients/{patient_id}/programs/{enrolment_id}/end": "end_enrolment",
    "POST /patients/{patient_id}/readings/{reading_id}/correct": "move_reading",
    "POST /patients/{patient_id}/tasks": "add_task",
    "POST /patients/{patient_id}/time/add": "add_time",
    "POST /patients/{patient_id}/time/{entry_id}/correct": "correct_time",
    "POST /rota": "add_rota",
    "POST /rota/hours": "set_hours",
    "POST /rota/teams": "add_team",
    "POST /rota/teams/{team_id}/members": "add_member",
    "POST /rota/teams/{team_id}/members/{staff_id}/remove": "remove_member",
    "POST /rota/{rota_id}/layers": "add_layer",
    "POST /rota/{rota_id}/layers/{layer_id}/remove": "remove_layer",
    "POST /rota/{rota_id}/overrides": "add_stand_in",
    "POST /rota/{rota_id}/overrides/{override_id}/remove": "remove_stand_in",
    "POST /tasks/{task_id}/done": "finish_task",
    "POST /worklist/bulk/claim": "claim_several",
    "POST /worklist/bulk/snooze": "snooze_several",
    "POST /worklist/views": "save_view",
    "POST /worklist/views/{view_id}/delete": "delete_view",
}


def actions() -> dict[str, Route]:
    """Every page's route that changes something, after its method and path."""
    return {
        f"{method} {route.path}": route
        for route in routes()
        for method in route.methods - {"GET", "HEAD"}
        if not route.path.startswith("/api/")
    }


def test_each_action_of_a_page_has_an_operation_or_a_reason_why_not() -> None:
    assert not set(COUNTERPARTS) & set(ON_PURPOSE)
    assert set(actions()) == {*COUNTERPARTS, *ON_PURPOSE}


def test_an_operation_asks_for_the_same_permission_as_its_page() -> None:
    scopes = {name: Verb[scope.upper()] for name, scope in document.scopes()}
    different = {
        at: (verbs_of(route), scopes[COUNTERPARTS[at]])
        for at, route in actions().items()
        if at in COUNTERPARTS and verbs_of(route) != [scopes[COUNTERPARTS[at]]]
    }
    assert different == {}
