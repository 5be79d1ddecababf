//! The store room of the engine.
