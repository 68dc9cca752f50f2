import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import document, models, profiles, quirks
from devices.model import ClockWrite, Evidence, ManufacturerData, Model, Pairing, PairingMode
from devices.reading import Kind

PAGE = Path(__file__).parents[2] / "docs" / "devices.md"
LONG = "0000{}-0000-1000-8000-00805f9b34fb".format
NOTHING: Mapping[int, bytes] = {}


@pytest.mark.parametrize(
    ("name", "service", "key"),
    [
        ("A&D_UA-651BLE_8ABC21", "1810", "and_ua_651ble"),
        ("a&d_ua-651ble_8abc21", "1810", "and_ua_651ble"),
        ("A&D_UA-656BLE_8ABC21", "1810", "and_ua_656ble"),
        ("A&D_UA-1200BLE_8ABC21", "1810", "and_ua_1200ble"),
        ("A&D_UC-352BLE_01166D", "181d", "and_uc_352ble"),
        ("meter+01335497", "1808", "accu_chek_guide"),
        ("Contour7801H5213142", "1808", "contour_next_one"),
        ("NiproBGM", "1808", "true_metrix_air"),
        ("X4 Smart", "1810", "omron_x4_smart"),
        ("BM85", "1810", "beurer_bm85"),
        ("BF720", "181d", "beurer_bf720"),
        ("MD300CI218", "1822", "choicemmed_md300"),
        ("Somebody's cuff", "1810", "generic_blood_pressure"),
        (None, "1810", "generic_blood_pressure"),
        (None, "181d", "generic_weight"),
        (None, "181b", "generic_body_composition"),
        (None, "1808", "generic_glucose"),
        (None, "1822", "generic_oximeter"),
        (None, "1809", "generic_thermometer"),
        (None, "180d", "generic_heart_rate"),
    ],
)
def test_an_advert_is_recognised(name: str | None, service: str, key: str) -> None:
    found = models.match(name=name, services=[LONG(service)], manufacturer=NOTHING)
    assert found is not None
    assert found.key == key
    assert models.match(name=name, services=[service.upper()], manufacturer=NOTHING) == found


@pytest.mark.parametrize("name", [None, "", "Somebody's headphones", "XA&D_UA-651BLE_1"])
def test_what_is_not_ours_is_left_alone(name: str | None) -> None:
    assert models.match(name=name, services=[LONG("180f")], manufacturer=NOTHING) is None


def test_a_name_is_enough_when_the_advert_carries_no_service() -> None:
    found = models.match(name="A&D_UA-651BLE_8ABC21", services=[], manufacturer=NOTHING)
    assert found is models.by_name("and_ua_651ble")


def test_a_makers_own_service_is_enough_when_the_advert_carries_no_name() -> None:
    own = "23434100-1fe4-1eff-80cb-00ff78297d8b"
    found = models.match(name=None, services=[own], manufacturer=NOTHING)
    assert found is models.by_name("and_uc_352ble")
    assert found.aliases["23434101-1FE4-1EFF-80CB-00FF78297D8B"] == "2A9D"


@pytest.mark.parametrize(
    ("data", "service", "key"),
    [
        ("0120", "1810", "omron_standard_cuff"),
        ("0129000005", "1810", "omron_standard_cuff"),
        ("0123", "181d", "omron_standard_scale"),
        ("0100", "1810", "generic_blood_pressure"),
        ("0220", "1810", "generic_blood_pressure"),
        ("01", "1810", "generic_blood_pressure"),
    ],
)
def test_omron_says_whether_it_speaks_the_standard(data: str, service: str, key: str) -> None:
    found = models.match(
        name="BLEsmart_0000015F005FBF99DF24",
        services=[service],
        manufacturer={0x020E: bytes.fromhex(data)},
    )
    assert found is not None
    assert found.key == key


def test_pairing_mode_is_read_from_the_advert() -> None:
    scale, cuff = models.by_name("and_uc_352ble"), models.by_name("omron_standard_cuff")
    assert scale.in_pairing_mode(advertising_flags=5) is True
    assert scale.in_pairing_mode(advertising_flags=6) is False
    assert scale.in_pairing_mode() is None
    assert cuff.in_pairing_mode(manufacturer={0x020E: b"\x01\x28"}) is True
    assert cuff.in_pairing_mode(manufacturer={0x020E: b"\x01\x20"}) is False
    assert models.by_name("beurer_bm54").in_pairing_mode(advertising_flags=5) is None


def test_pairing_mode_may_be_in_the_name() -> None:
    mode = PairingMode(name_pattern="pair-.*")
    model = dataclasses.replace(models.by_name("beurer_bm54"), pairing_mode=mode)
    assert model.in_pairing_mode(name="pair-1") is True
    assert model.in_pairing_mode(name="BM54") is False
    assert model.in_pairing_mode() is None


@given(
    name=st.none() | st.text(max_size=20),
    services=st.lists(st.text(max_size=8), max_size=3),
    manufacturer=st.dictionaries(st.sampled_from([0x020E, 1]), st.binary(max_size=4)),
)
def test_any_advert_is_a_model_or_none(
    name: str | None, services: list[str], manufacturer: dict[int, bytes]
) -> None:
    found = models.match(name=name, services=services, manufacturer=manufacturer)
    assert found is None or found in models.known()


def test_the_issues_models_are_known() -> None:
    keys = {model.key for model in models.known()}
    assert keys >= {
        "and_ua_651ble",
        "and_uc_352ble",
        "accu_chek_guide",
        "contour_next_one",
        "omron_standard_cuff",
        "omron_standard_scale",
        "true_metrix_air",
        "beurer_bf720",
        "choicemmed_md300",
        "beurer_bm85",
    }


def test_keys_are_unique_and_an_unknown_one_is_an_error() -> None:
    keys = [model.key for model in models.known()]
    assert len(keys) == len(set(keys))
    with pytest.raises(KeyError):
        models.by_name("toaster")


def test_the_data_has_no_field_that_the_model_does_not_have() -> None:
    nested = {"manufacturer": ManufacturerData, "pairing_mode": PairingMode, "clock": ClockWrite}
    for entry in models.entries():
        assert set(entry) <= {field.name for field in dataclasses.fields(Model)}
        for name, kind in nested.items():
            inner = entry.get(name, {})
            assert isinstance(inner, dict)
            assert set(inner) <= {field.name for field in dataclasses.fields(kind)}


@pytest.mark.parametrize("model", models.known(), ids=lambda model: str(model.key))
def test_each_model_makes_sense(model: Model) -> None:
    assert model.kinds
    assert set(model.kinds) <= set(Kind)
    assert model.services
    assert model.source
    assert model.quirk is None or model.quirk in quirks.QUIRKS
    assert model.passkey_found == "" or model.pairing is Pairing.PASSKEY
    assert model.clock is None or model.clock.characteristic in ("2A2B", "2A08")
    assert all(target in (*profiles.SUPPORTED, *_services()) for target in model.aliases.values())
    assert all(service == profiles.short(service) for service in (*model.services, *model.aliases))
    re.compile(model.name_pattern or "")
    assert not (model.racp and model.streams_on_subscribe)


def test_no_clock_of_a_meter_or_of_an_unknown_device_is_written() -> None:
    for model in models.known():
        if Kind.GLUCOSE in model.kinds or model.is_generic:
            assert model.clock is None


def test_nothing_claims_to_have_been_tested_on_hardware() -> None:
    assert not any(model.tested_on_hardware for model in models.known())


def test_the_page_is_what_the_catalogue_says() -> None:
    page = document.page(models.known(), models.unsupported())
    assert PAGE.read_text() == page, "run: tidings device list --markdown > docs/devices.md"


def test_the_page_says_what_is_untested_and_what_is_not_supported() -> None:
    page = PAGE.read_text()
    for model in models.known():
        [row] = [
            line
            for line in page.splitlines()
            if line.startswith(f"| {model.maker} | {model.name} |")
        ]
        assert "| no |" in row
        assert (model.evidence is Evidence.NONE) == ("none: assumed" in row)
    for each in models.unsupported():
        assert f"| {each.maker} | {each.name} | {each.reason} |" in page


def _services() -> set[str]:
    return {service for model in models.known() for service in model.services}
