"""What medical devices say: pure decoders, the catalogue of models, and the wire message; nothing here does I/O."""
