"""Ingest's own writer against real TimescaleDB."""

from datetime import datetime, timedelta

from ingest import batch
from ingest.bounds import shipped
from ingest.directory import Directory
from ingest.store import Writer
from tests.ingest.builders import build_reading, found_clinic, post
from tests.timescale.conftest import Timescale

DAY = timedelta(days=1)


async def test_a_batch_is_stored_once_late_readings_too(
    timescale: Timescale, noon: datetime
) -> None:
    clinic = found_clinic(timescale)
    when = [noon - DAY * days for days in (0, 1, 40, 80, 120)]
    letters = [
        post(build_reading(at=at, device_time=at.replace(tzinfo=None), offset_s=0.0, live=False))
        for at in when
    ]
    directory = Directory(shipped())
    async with Writer(timescale.worker_dsn, directory, shipped()) as writer:
        first = await writer.write(batch.open_all(letters), now=noon)
        again = await writer.write(batch.open_all(letters), now=noon)
    assert first.rows["accepted"] + first.rows["flagged"] == len(when), first
    assert again.rows["duplicate"] == len(when), again
    query = "select count(*), count(distinct reading_id) from reading where organisation_id = %s"
    assert clinic.all(query, clinic.organisation) == [(len(when), len(when))]
