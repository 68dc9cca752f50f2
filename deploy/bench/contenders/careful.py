"""The careful script: acknowledged by hand after the commit, batches, insert on conflict.

`python -m deploy.bench.contenders.careful PORT DSN`
"""

import json
import sys
import time

import paho.mqtt.client as paho
import psycopg
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from deploy.bench.contenders.table import INSERT, subscribe, values_of

BATCH = 500
LINGER_S = 0.2


def main(port: int, dsn: str) -> None:
    """Insert for ever, the network inline: twice as fast as paho's own thread."""
    connection = psycopg.connect(dsn)
    waiting: list[paho.MQTTMessage] = []
    client = paho.Client(
        CallbackAPIVersion.VERSION2, client_id="careful", protocol=paho.MQTTv5, manual_ack=True
    )
    client.on_message = lambda _c, _u, message: waiting.append(message)
    client.on_connect = subscribe
    session = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho's
    session.SessionExpiryInterval = 86_400
    session.ReceiveMaximum = 2 * BATCH
    client.connect("127.0.0.1", port, clean_start=False, properties=session)
    since = time.monotonic()
    while True:
        client.loop(0.01)
        if not waiting:
            since = time.monotonic()
        elif len(waiting) >= BATCH or time.monotonic() - since > LINGER_S:
            rows = [values_of(json.loads(message.payload)) for message in waiting]
            with connection.cursor() as cursor:
                cursor.executemany(INSERT, rows)
            connection.commit()
            for message in waiting:
                client.ack(message.mid, 1)
            waiting.clear()
            since = time.monotonic()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
