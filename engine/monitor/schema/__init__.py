"""Schema drift: how requests and new snapshots differ in shape from what the model was trained on."""
