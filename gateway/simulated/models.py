"""Virtual devices that behave like known models, by the model's key in devices/catalogue."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from gateway.simulated.peripherals.behaviour import (
    Behaviour,
    Bonding,
    ClockService,
    Labels,
    Memory,
)
from gateway.simulated.peripherals.body_scale import BodyCompositionScale
from gateway.simulated.peripherals.cuff import BloodPressureCuff
from gateway.simulated.peripherals.glucometer import Glucometer
from gateway.simulated.peripherals.heart_rate_strap import HeartRateStrap
from gateway.simulated.peripherals.oximeter import Oximeter
from gateway.simulated.peripherals.peripheral import Peripheral
from gateway.simulated.peripherals.scale import WeightScale
from gateway.simulated.peripherals.thermometer import Thermometer

KINDS: Mapping[str, type[Peripheral]] = MappingProxyType(
    {
        kind.kind: kind
        for kind in (
            BloodPressureCuff,
            WeightScale,
            Glucometer,
            Oximeter,
            Thermometer,
            HeartRateStrap,
            BodyCompositionScale,
        )
    }
)
"""Every kind of virtual device by its word in plans."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A kind of device with the habits of one model."""

    kind: type[Peripheral]
    behaviour: Behaviour


_AND = Behaviour(
    bonding=Bonding.JUST_WORKS,
    pairs_only_in_pairing_mode=True,
    clock_deadline_s=5,
    clock_lost=True,
    hangs_up_after_dump=True,
)
_UC_352BLE_OWN = {
    0x181D: "23434100-1fe4-1eff-80cb-00ff78297d8b",
    0x2A9D: "23434101-1fe4-1eff-80cb-00ff78297d8b",
}
"""Some units speak A&D's own service with the same layout (A&D's sample applications)."""
_METER = Behaviour(
    bonding=Bonding.PASSKEY,
    clock=ClockService.NONE,
    memory=Memory.KEEP,
    factory_clock=datetime(2019, 1, 1),  # noqa: DTZ001  a device's clock is naive
)
_OMRON = Behaviour(
    bonding=Bonding.JUST_WORKS,
    clock=ClockService.CURRENT_TIME,
    manufacturer_data=(0x020E, b"\x01\x20"),
    pairing_manufacturer_data=(0x020E, b"\x01\x28"),
)
_BEURER_SCALE = Behaviour(
    bonding=Bonding.JUST_WORKS,
    clock=ClockService.CURRENT_TIME,
    consent=2345,
    memory=Memory.KEEP,
)

MODELS: Mapping[str, Model] = MappingProxyType(
    {
        "and_ua_651ble": Model(
            kind=BloodPressureCuff,
            behaviour=replace(_AND, labels=Labels(manufacturer="A&D", model="UA-651BLE")),
        ),
        "and_uc_352ble": Model(
            kind=WeightScale,
            behaviour=replace(_AND, labels=Labels(manufacturer="A&D", model="UC-352BLE")),
        ),
        "and_uc_352ble_own_service": Model(
            kind=WeightScale, behaviour=replace(_AND, aliases=_UC_352BLE_OWN)
        ),
        "accu_chek_guide": Model(
            kind=Glucometer,
            behaviour=replace(_METER, labels=Labels(manufacturer="Roche", model="923")),
        ),
        "contour_next_one": Model(
            kind=Glucometer,
            behaviour=replace(
                _METER,
                silent_until_bonded=True,
                labels=Labels(manufacturer="Ascensia Diabetes Care", model="Contour7800"),
            ),
        ),
        "true_metrix_air": Model(
            kind=Glucometer,
            behaviour=Behaviour(
                bonding=Bonding.JUST_WORKS, streams_on_subscribe=True, memory=Memory.RESEND
            ),
        ),
        "omron_standard_cuff": Model(kind=BloodPressureCuff, behaviour=_OMRON),
        "omron_standard_scale": Model(kind=WeightScale, behaviour=_OMRON),
        "beurer_bm54": Model(
            kind=BloodPressureCuff,
            behaviour=Behaviour(memory=Memory.RESEND, hangs_up_after_dump=True),
        ),
        "beurer_bf720": Model(kind=BodyCompositionScale, behaviour=_BEURER_SCALE),
        "choicemmed_md300": Model(kind=Oximeter, behaviour=Behaviour(clock=ClockService.NONE)),
        "generic_thermometer": Model(kind=Thermometer, behaviour=Behaviour()),
        "generic_heart_rate": Model(
            kind=HeartRateStrap,
            behaviour=Behaviour(clock=ClockService.NONE, has_clock=False),
        ),
    }
)
"""What was not published is assumed: these stand for habits, not for tested hardware."""
