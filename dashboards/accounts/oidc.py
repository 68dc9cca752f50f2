"""OpenID Connect over HTTP: the provider's addresses, the code for a token, who the token names."""

from dataclasses import dataclass
from datetime import datetime

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwk, jwt
from joserfc.errors import JoseError
from pydantic import BaseModel

from dashboards.accounts.providers import Provider

TIMEOUT_SECONDS = 10
LEEWAY_SECONDS = 60
SIGNED_WITH = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA")
"""Public-key signatures only: never none, never the client secret."""


class ProviderError(Exception):
    """The provider cannot be reached, or its answer is not right."""


class Endpoints(BaseModel):
    """What the provider says of itself."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str


class _Claims(BaseModel):
    sub: str
    email: str = ""
    email_verified: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The secrets of one sign-in: what goes out, and what must come back."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Whom the provider names; the e-mail is empty unless the provider has verified it."""

    subject: str
    email: str
    name: str


async def address(provider: Provider, attempt: Attempt, redirect: str) -> str:
    """Return where the browser shall go to sign in."""
    async with _client(provider, redirect) as client:
        endpoints = await _endpoints(provider)
        going, _ = client.create_authorization_url(
            endpoints.authorization_endpoint,
            state=attempt.state,
            nonce=attempt.nonce,
            code_verifier=attempt.verifier,
        )
    return str(going)


async def named(
    provider: Provider, attempt: Attempt, redirect: str, *, code: str, now: datetime
) -> Named:
    """Exchange the code; return whom the signed token names."""
    try:
        async with _client(provider, redirect) as client:
            endpoints = await _endpoints(provider)
            token = await client.fetch_token(
                endpoints.token_endpoint, code=code, code_verifier=attempt.verifier
            )
        keys = jwk.KeySet.import_key_set((await _fetched(endpoints.jwks_uri)).json())
        return checked(provider, token, keys, attempt.nonce, now)
    except (OAuthError, httpx2.HTTPError, JoseError, KeyError, TypeError, ValueError) as error:
        raise ProviderError(type(error).__name__) from error


def checked(
    provider: Provider, token: dict[str, str], keys: jwk.KeySet, nonce: str, now: datetime
) -> Named:
    """Return whom a token names whose signature, audience, time and nonce are right."""
    told = jwt.decode(token["id_token"], keys, algorithms=list(SIGNED_WITH))
    CodeIDToken(
        told.claims,
        told.header,
        {
            "iss": {"essential": True, "value": provider.issuer},
            "aud": {"essential": True, "value": provider.client_id},
        },
        {
            "nonce": nonce,
            "client_id": provider.client_id,
            "access_token": token.get("access_token"),
        },
    ).validate(now=int(now.timestamp()), leeway=LEEWAY_SECONDS)
    claims = _Claims.model_validate(told.claims)
    email = claims.email if claims.email_verified else ""
    return Named(subject=claims.sub, email=email, name=claims.name)


def _client(provider: Provider, redirect: str) -> AsyncOAuth2Client:
    return AsyncOAuth2Client(
        provider.client_id,
        provider.client_secret,
        scope="openid email profile",
        redirect_uri=redirect,
        code_challenge_method="S256",
        timeout=TIMEOUT_SECONDS,
    )


async def _endpoints(provider: Provider) -> Endpoints:
    """Ask the provider for its addresses; it must be who we think it is."""
    try:
        answer = await _fetched(f"{provider.issuer}/.well-known/openid-configuration")
        found = Endpoints.model_validate(answer.json())
    except (httpx2.HTTPError, ValueError) as error:
        raise ProviderError(type(error).__name__) from error
    if found.issuer.rstrip("/") != provider.issuer:
        raise ProviderError("another issuer")
    return found


async def _fetched(address: str) -> httpx2.Response:
    async with httpx2.AsyncClient(timeout=TIMEOUT_SECONDS) as client:
        return (await client.get(address)).raise_for_status()
