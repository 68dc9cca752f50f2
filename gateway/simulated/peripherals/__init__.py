"""Virtual medical devices: each a GATT server that advertises, pairs, stores and sends."""
