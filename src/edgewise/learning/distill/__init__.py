"""From a labelled table to a small classifier: fine-tune, export, compress, pack; one file a stage."""
