"""A home without a radio: virtual Bluetooth devices behind a D-Bus front that speaks like BlueZ.

bleak's own BlueZ backend runs against it unchanged. What is real: D-Bus, bleak, GATT, ATT, pairing.
What is a model: bluetoothd itself (its caches, its scan and connect arbitration) and the air.
Needs bumble (the `demo` extra) and the `dbus-daemon` program; nothing here runs on a real gateway.
"""
