from datetime import datetime
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import sfloat, thermometer
from devices.date_time import DateTime
from devices.reading import FailedMeasurement, Kind, Reading
from devices.sfloat import Special
from devices.thermometer import Site, Temperature

NOON = DateTime(year=2024, month=6, day=30, hour=12)


@given(
    st.builds(
        Temperature,
        temperature=st.integers(0, (1 << 32) - 1).map(sfloat.decode_float),
        fahrenheit=st.booleans(),
        timestamp=st.none() | st.just(NOON),
        site=st.none() | st.integers(0, 255),
        reserved=st.sampled_from([0, 8, 0xF8]),
        trailing=st.binary(max_size=3),
    )
)
def test_encode_then_parse_is_the_identity(value: Temperature) -> None:
    assert thermometer.parse(thermometer.encode(value)) == value


@pytest.mark.parametrize("there", list(product([False, True], repeat=3)))
def test_every_combination_of_flags(there: tuple[bool, ...]) -> None:
    fahrenheit, timestamp, site = there
    value = Temperature(
        temperature=98.5 if fahrenheit else 36.9,
        fahrenheit=fahrenheit,
        timestamp=NOON if timestamp else None,
        site=3 if site else None,
    )
    frame = thermometer.encode(value)
    assert frame[0] == fahrenheit + timestamp * 2 + site * 4
    assert thermometer.read(thermometer.parse(frame)) == Reading(
        kind=Kind.TEMPERATURE,
        value=36.94 if fahrenheit else 36.9,
        original_value=98.5 if fahrenheit else 36.9,
        original_unit="[degF]" if fahrenheit else "Cel",
        device_time=datetime(2024, 6, 30, 12) if timestamp else None,
        extra={"site": "ear"} if site else {},
    )


@pytest.mark.parametrize("special", list(Special))
def test_no_temperature_is_a_failed_measurement(special: Special) -> None:
    failed = thermometer.read(Temperature(temperature=special, timestamp=NOON, site=3))
    assert isinstance(failed, FailedMeasurement)
    assert failed.device_time == datetime(2024, 6, 30, 12)
    assert failed.extra == {"site": "ear"}


@pytest.mark.parametrize("code", range(12))
def test_every_site_has_a_word(code: int) -> None:
    site = thermometer.read(Temperature(temperature=36.9, site=code)).extra["site"]
    assert (site == f"reserved_{code}") == (not 1 <= code <= 9)


def test_the_site_of_a_thermometer_is_shown() -> None:
    assert thermometer.site_fields(thermometer.parse_site(b"\x09")) == {"type": 9}
    assert thermometer.encode_site(Site(site=9)) == b"\x09"
