"""Prometheus metrics on loopback: how the box and its devices are; no patient, no value."""

from datetime import datetime
from threading import Thread
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector, start_http_server

from gateway.heartbeat import Vitals
from gateway.known import Device
from gateway.publisher import Counts

_LOOPBACK = "127.0.0.1"


class Metrics:
    """The box's own registry of metrics, and the server that shows it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._server: tuple[WSGIServer, Thread] | None = None
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._frames = self._counter("frames", "Frames caught from devices.", "characteristic")
        self._visits = self._counter("visits", "Visits to devices, by how they ended.", "outcome")
        self._messages = self._gauge("messages_sent", "Messages handed to the broker.")
        self._undelivered = self._gauge("messages_undelivered", "Messages that nobody received.")
        self._acknowledged = self._gauge("rows_acknowledged", "Rows the server acknowledged.")
        self._depth = self._gauge("outbox_rows", "Rows waiting for the server's acknowledgement.")
        self._age = self._gauge("outbox_oldest_seconds", "Age of the oldest waiting row.")
        self._disk = self._gauge("disk_free_megabytes", "Space left for the outbox.")
        self._synced = self._gauge("clock_synced", "1 if the network sets the box's clock.")
        self._radio = self._gauge("radio_up", "1 if the radio works.")
        self._advert = self._gauge("last_advert_timestamp_seconds", "When last heard.", "device")
        self._battery = self._gauge("device_battery_percent", "Battery of the device.", "device")
        self._offset = self._gauge("device_clock_offset_seconds", "Clock offset.", "device")

    def start(self) -> None:
        """Serve on loopback; port 0 means not at all."""
        if self._port:
            self._server = start_http_server(self._port, _LOOPBACK, self.registry)

    def stop(self) -> None:
        """End the server."""
        if self._server is not None:
            server, thread = self._server
            server.shutdown()
            server.server_close()
            thread.join()

    def count_frame(self, characteristic: str) -> None:
        """A frame was caught."""
        self._frames.labels(characteristic).inc()

    def count_visit(self, outcome: str) -> None:
        """A visit ended."""
        self._visits.labels(outcome).inc()

    def show(self, vitals: Vitals, counts: Counts, devices: list[Device]) -> None:
        """Set every gauge to how things are."""
        self._messages.set(counts.messages)
        self._undelivered.set(counts.undelivered)
        self._acknowledged.set(counts.acknowledged)
        self._depth.set(vitals.depth.rows)
        self._age.set(_age(vitals.depth.oldest, vitals.at))
        self._disk.set(vitals.disk_free_mb or 0)
        self._synced.set(vitals.synced)
        self._radio.set(vitals.radio in ("ok", "simulated"))
        for device in devices:
            self._show_device(device)

    def _show_device(self, device: Device) -> None:
        if device.last_seen is not None:
            self._advert.labels(device.identity).set(device.last_seen.timestamp())
        if device.battery is not None:
            self._battery.labels(device.identity).set(device.battery)
        if device.offset_s is not None:
            self._offset.labels(device.identity).set(device.offset_s)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"tidings_gateway_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"tidings_gateway_{name}", text, labels, registry=self.registry)


def _age(oldest: datetime | None, now: datetime) -> float:
    return (now - oldest).total_seconds() if oldest is not None else 0.0
