"""The tutorial script: paho's callback, one insert and one commit a message.

`python -m deploy.bench.contenders.tutorial PORT DSN`
"""

import json
import sys

import paho.mqtt.client as paho
import psycopg
from paho.mqtt.enums import CallbackAPIVersion

from deploy.bench.contenders.table import INSERT, subscribe, values_of


def main(port: int, dsn: str) -> None:
    """Insert for ever."""
    connection = psycopg.connect(dsn)

    def on_message(_c: paho.Client, _u: object, message: paho.MQTTMessage) -> None:
        connection.execute(INSERT, values_of(json.loads(message.payload)))
        connection.commit()

    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="tutorial", protocol=paho.MQTTv5)
    client.on_message = on_message
    client.on_connect = subscribe
    client.connect("127.0.0.1", port)
    client.loop_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
