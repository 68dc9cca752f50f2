"""A month's file on its way to a browser: piece by piece, and no connection waits for it."""

import asyncio
from uuid import UUID

from starlette.testclient import TestClient

from dashboards.billing import download
from database.pool import open_pool
from tests.dashboards.conftest import Clinic, Db, SignIn

PIECES = [b"one,", b"two,", b"three"]
FILE = (
    "insert into billing_export (organisation_id, first, format, name, sha256, lines, by_whom, at)"
    " values (%s, '2026-10-01', 'csv', 'f.csv', '', 0, 'x', now()) returning id"
)


def stored(db: Db, organisation: UUID) -> UUID:
    with db.connect() as owner:
        (made,) = owner.execute(FILE, (organisation,)).fetchone() or ("",)
        for place, piece in enumerate(PIECES):
            row = made, place, organisation, piece
            owner.execute("insert into billing_export_piece values (%s, %s, %s, %s)", row)
    return UUID(str(made))


def test_a_file_of_several_pieces_comes_whole(
    client: TestClient,
    sign_in: SignIn,
    db: Db,
    clinic: Clinic,
) -> None:
    sign_in("bela")
    address = f"/billing/files/{stored(db, clinic.id)}"
    answer = client.get(address, headers={"accept-encoding": "identity"})
    assert (answer.content, answer.headers["content-length"]) == (b"one,two,three", "13")


def test_a_file_leaves_in_pieces_and_holds_no_connection_between_them(
    db: Db,
    clinic: Clinic,
    other_clinic: Clinic,
) -> None:
    made = stored(db, clinic.id)

    async def leaving(organisation: UUID) -> list[bytes]:
        found = []
        async with open_pool(db.web_dsn, most=1) as pool:
            async for piece in download.pieces(pool, organisation, made):
                async with pool.connection(timeout=10):  # the only one that there is
                    found.append(piece)
        return found

    assert asyncio.run(leaving(clinic.id)) == PIECES
    assert asyncio.run(leaving(other_clinic.id)) == []
