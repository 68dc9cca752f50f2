"""Passkeys (WebAuthn): what a browser is asked, and whether its answer is right. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

import webauthn
from webauthn.helpers import (
    options_to_json,
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

CHALLENGE_BYTES = 32


class PasskeyError(ValueError):
    """The browser's answer is not right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where browsers reach us: passkeys belong to it and work nowhere else."""

    origin: str

    @property
    def host(self) -> str:
        """The name that passkeys are bound to."""
        return urlsplit(self.origin).hostname or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A new passkey, as it is stored."""

    credential_id: bytes
    public_key: bytes
    sign_count: int


def creation_options(
    site: Site, *, staff_id: UUID, name: str, challenge: bytes, known: Iterable[bytes]
) -> str:
    """Return the JSON that makes a browser create a passkey; those that are `known` not again."""
    made = webauthn.generate_registration_options(
        rp_id=site.host,
        rp_name="Tidings",
        user_id=staff_id.bytes,
        user_name=name,
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=each) for each in known],
    )
    return options_to_json(made)


def request_options(site: Site, challenge: bytes) -> str:
    """Return the JSON that makes a browser sign with any passkey of this site."""
    made = webauthn.generate_authentication_options(
        rp_id=site.host,
        challenge=challenge,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json(made)


def challenge_of_new(answer: str) -> bytes:
    """Return the challenge that a new passkey answers."""
    try:
        parsed = parse_registration_credential_json(answer)
        return parse_client_data_json(parsed.response.client_data_json).challenge
    except (WebAuthnException, ValueError) as error:
        raise PasskeyError(str(error)) from error


def challenge_of(answer: str) -> tuple[bytes, bytes]:
    """Return which passkey signed, and which challenge."""
    try:
        parsed = parse_authentication_credential_json(answer)
        told = parse_client_data_json(parsed.response.client_data_json)
    except (WebAuthnException, ValueError) as error:
        raise PasskeyError(str(error)) from error
    return parsed.raw_id, told.challenge


def made(answer: str, *, site: Site, challenge: bytes) -> Made:
    """Return the passkey that a browser has created for us."""
    try:
        right = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError) as error:
        raise PasskeyError(str(error)) from error
    return Made(
        credential_id=right.credential_id,
        public_key=right.credential_public_key,
        sign_count=right.sign_count,
    )


def signed(answer: str, *, site: Site, challenge: bytes, key: bytes, count: int) -> int:
    """Return the passkey's new count; PasskeyError unless its person signed this challenge here."""
    try:
        right = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            credential_public_key=key,
            credential_current_sign_count=count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError) as error:
        raise PasskeyError(str(error)) from error
    return right.new_sign_count
