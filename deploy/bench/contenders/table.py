"""The table that the other contenders write: what the message says, unique by its id."""

import paho.mqtt.client as paho

TABLE = """
create table bench_reading (
  id uuid primary key, device text not null, gateway text not null, kind text not null,
  measured_at timestamptz not null, value double precision not null, diastolic double precision,
  pulse double precision, unit text, frame text
)
"""
TIMESCALE = """
create table bench_reading (
  id uuid not null, device text not null, gateway text not null, kind text not null,
  measured_at timestamptz not null, value double precision not null, diastolic double precision,
  pulse double precision, unit text, frame text, unique (id, measured_at)
);
select create_hypertable('bench_reading', by_range('measured_at', interval '7 days'));
"""
FIELDS = ("id", "device", "gateway", "kind", "at", "value", "diastolic", "pulse")
INSERT = """
insert into bench_reading
  (id, device, gateway, kind, measured_at, value, diastolic, pulse, unit, frame)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing
"""
BRIDGE_INSERT = """
INSERT INTO bench_reading
  (id, device, gateway, kind, measured_at, value, diastolic, pulse, unit, frame)
VALUES (${payload:id}::uuid, ${payload:device}, ${payload:gateway}, ${payload:kind},
  ${payload:at}::timestamptz, ${payload:value}, ${payload:diastolic}, ${payload:pulse},
  ${payload:original_unit}, ${payload:frame}) ON CONFLICT DO NOTHING
"""


def values_of(message: dict[str, object]) -> tuple[object, ...]:
    """Return one row."""
    return (*(message[name] for name in FIELDS), message["original_unit"], message["frame"])


def subscribe(client: paho.Client, _u: object, _f: object, _code: object, _p: object) -> None:
    """Take every flat reading, once connected."""
    client.subscribe("bench/+/+/+/readings", 1)
