"""mq-bridge, the strongest packaged bridge, as its documentation would have it run.

Runs in an environment of its own: `python bridge.py PORT DATABASE_URL INSERT_QUERY`.
"""

import sys

import mq_bridge  # type: ignore[import-not-found]  # in its own environment only

route = mq_bridge.Route.from_config(
    {
        "input": {
            "mqtt": {
                "url": f"tcp://127.0.0.1:{sys.argv[1]}",
                "topic": "bench/+/+/+/readings",
                "client_id": "bridge",
                "clean_session": False,
                "session_expiry_interval": 86_400,
                "queue_capacity": 8000,
                "max_inflight": 8000,
            }
        },
        "output": {
            "sqlx": {"url": sys.argv[2], "table": "bench_reading", "insert_query": sys.argv[3]}
        },
        "batch_size": 2000,
        "concurrency": 4,
    }
)
route.run()
