from datetime import datetime, timedelta

from devices import wire
from gateway import heartbeat
from gateway.heartbeat import Vitals
from gateway.known import Depth, Device


def test_says_how_the_box_and_its_devices_are(noon: datetime) -> None:
    vitals = Vitals(
        at=noon,
        started_at=noon - timedelta(days=3),
        version="0.1.0",
        radio="ok",
        synced=False,
        depth=Depth(rows=7, oldest=noon - timedelta(hours=1)),
        disk_free_mb=900,
    )
    device = Device(
        identity="CUFF-1",
        address="F0:00:5E:00:53:10",
        model="and_ua_651ble",
        last_seen=noon,
        rssi=-60,
        battery=40,
        bonded=True,
        offset_s=3.5,
        firmware="1.0",
    )
    status = wire.load(wire.dump(heartbeat.status("gw-1", vitals, [device])), wire.Status)
    assert (status.state, status.outbox_depth) == ("online", 7)
    assert (status.radio, status.synced) == ("ok", False)
    assert status.outbox_oldest == noon - timedelta(hours=1)
    assert status.devices == [
        wire.DeviceState(
            device="CUFF-1",
            model="and_ua_651ble",
            last_seen=noon,
            battery=40,
            rssi=-60,
            bonded=True,
            clock_offset_s=3.5,
            firmware="1.0",
        )
    ]


def test_the_last_words_say_offline() -> None:
    assert wire.load(heartbeat.last_words("gw-1"), wire.Status).state == "offline"
