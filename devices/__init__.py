"""What medical devices say: pure decoders, the catalogue of models, the wire message; no I/O."""
