//! Planning and putting together, over the healthy inventory.
