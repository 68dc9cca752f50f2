import urllib.request
from datetime import datetime, timedelta

from deploy.embedded.broker import free_port
from gateway.heartbeat import Vitals
from gateway.known import Depth, Device
from gateway.metrics import Metrics
from gateway.publisher import Counts


def vitals(noon: datetime) -> Vitals:
    depth = Depth(rows=3, oldest=noon - timedelta(seconds=40))
    return Vitals(
        at=noon,
        started_at=noon,
        version="",
        radio="ok",
        synced=True,
        depth=depth,
        disk_free_mb=None,
    )


def test_shows_the_box_and_its_devices_on_loopback(noon: datetime) -> None:
    metrics = Metrics(port := free_port())
    device = Device(identity="CUFF-1", last_seen=noon, battery=40, offset_s=2.5)
    metrics.count_frame("2A35")
    metrics.count_visit("read")
    metrics.show(vitals(noon), Counts(messages=2, acknowledged=5), [device, Device(identity="x")])
    metrics.start()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as reply:
        text = reply.read().decode()
    metrics.stop()
    for line in (
        'tidings_gateway_frames_total{characteristic="2A35"} 1.0',
        'tidings_gateway_visits_total{outcome="read"} 1.0',
        "tidings_gateway_rows_acknowledged 5.0",
        "tidings_gateway_outbox_rows 3.0",
        "tidings_gateway_outbox_oldest_seconds 40.0",
        'tidings_gateway_device_battery_percent{device="CUFF-1"} 40.0',
        'tidings_gateway_device_clock_offset_seconds{device="CUFF-1"} 2.5',
        "process_resident_memory_bytes",
    ):
        assert line in text


def test_no_port_means_no_server(noon: datetime) -> None:
    metrics = Metrics(0)
    metrics.start()
    metrics.show(vitals(noon), Counts(), [])
    metrics.stop()
