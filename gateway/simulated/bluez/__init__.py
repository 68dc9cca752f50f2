"""`org.bluez` as bleak sees it, answered by virtual radios instead of bluetoothd."""
