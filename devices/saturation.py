"""What an oximeter's frames (devices.oximeter) mean: a saturation reading, or why there is none."""

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType

from devices import bits, date_time, failure, oximeter, sfloat, shown
from devices.oximeter import OximeterFeatures, SpotCheck, Stream
from devices.reading import Decoded, FailedMeasurement, Kind, Reading
from devices.shown import Fields

INVALID_STATUS: Mapping[int, str] = MappingProxyType(
    {
        10: "demonstration",
        11: "testing",
        12: "calibrating",
        13: "unavailable",
        15: "invalid",
    }
)
"""Status bits under which the numbers are not the patient's."""
STATUS: Mapping[int, str] = MappingProxyType(
    {
        5: "ongoing",
        6: "early_estimate",
        7: "validated",
        8: "fully_qualified",
        9: "from_storage",
        14: "questionable",
    }
)
INVALID_SENSOR: Mapping[int, str] = MappingProxyType(
    {
        1: "equipment_malfunction",
        11: "sensor_unconnected",
        14: "sensor_malfunction",
        15: "sensor_disconnected",
    }
)
SENSOR: Mapping[int, str] = MappingProxyType(
    {
        0: "display_update_ongoing",
        2: "signal_irregular",
        3: "signal_inadequate",
        4: "signal_poor",
        5: "low_perfusion",
        6: "signal_erratic",
        7: "non_pulsatile",
        8: "pulse_questionable",
        9: "signal_analysis_ongoing",
        10: "signal_interference",
        12: "sensor_unknown",
        13: "sensor_displaced",
    }
)


def read_spot(measured: SpotCheck) -> Decoded:
    """Return the reading; the time of a clock that was never set is kept aside, not used."""
    decoded = _read(measured)
    if not measured.clock_not_set:
        time = date_time.device_time(measured.timestamp)
        doubts = date_time.doubts(measured.timestamp)
        flags = bits.ordered([*decoded.flags, *doubts])
        return dataclasses.replace(decoded, device_time=time, flags=flags)
    aside = {} if measured.timestamp is None else {"unset_clock": str(measured.timestamp)}
    flags = bits.ordered([*decoded.flags, "clock_not_set"])
    return dataclasses.replace(decoded, flags=flags, extra={**decoded.extra, **aside})


def read_stream(measured: Stream) -> Decoded:
    """Return the reading of this moment, flagged `continuous`: one of a stream."""
    decoded = _read(measured)
    return dataclasses.replace(decoded, flags=bits.ordered([*decoded.flags, "continuous"]))


def spot_fields(measured: SpotCheck) -> Fields:
    """Return the decoded fields of 2A5E in the units of the wire."""
    return {
        "spo2": measured.saturation,
        "pulse": measured.pulse,
        **shown.given(
            timestamp=shown.text(measured.timestamp),
            status=measured.status,
            sensor=measured.sensor,
            pai=measured.amplitude,
        ),
        "clock_not_set": measured.clock_not_set,
    }


def stream_fields(measured: Stream) -> Fields:
    """Return the decoded fields of 2A5F in the units of the wire."""
    return {
        "spo2": measured.saturation,
        "pulse": measured.pulse,
        **shown.given(
            spo2_fast=measured.fast_saturation,
            pulse_fast=measured.fast_pulse,
            spo2_slow=measured.slow_saturation,
            pulse_slow=measured.slow_pulse,
            status=measured.status,
            sensor=measured.sensor,
            pai=measured.amplitude,
        ),
    }


def feature_fields(found: OximeterFeatures) -> Fields:
    """Return the decoded fields of 2A60."""
    return {
        "bits": found.raw,
        "features": bits.words(found.raw, oximeter.FEATURES),
        **shown.given(status_support=found.status_support, sensor_support=found.sensor_support),
    }


def _read(measured: SpotCheck | Stream) -> Decoded:
    """What both frames have in common."""
    invalid = bits.words(measured.status, INVALID_STATUS)
    invalid += bits.words(measured.sensor, INVALID_SENSOR)
    saturation = sfloat.value(measured.saturation)
    pulse = sfloat.value(measured.pulse) or None
    remarks = bits.words(measured.status, STATUS) + bits.words(measured.sensor, SENSOR)
    remarks += [] if pulse else ["pulse_unavailable"]
    if saturation is None or invalid:
        return _failed(measured, invalid, remarks)
    return Reading(
        kind=Kind.SPO2,
        value=saturation,
        pulse=pulse,
        original_value=saturation,
        original_unit="%",
        flags=bits.ordered(remarks),
        extra=_amplitude(measured),
        trailing=len(measured.trailing),
    )


def _failed(
    measured: SpotCheck | Stream, invalid: list[str], remarks: list[str]
) -> FailedMeasurement:
    unsaid = failure.reason(measured.saturation) or failure.Reason.NO_VALUE
    return FailedMeasurement(
        kind=Kind.SPO2,
        reason=[*invalid, unsaid][0],
        flags=bits.ordered(remarks + invalid),
        trailing=len(measured.trailing),
    )


def _amplitude(measured: SpotCheck | Stream) -> dict[str, float | str]:
    amplitude = sfloat.value(measured.amplitude)
    return {} if amplitude is None else {"perfusion_index": amplitude}
