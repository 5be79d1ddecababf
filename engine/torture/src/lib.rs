//! The torture room of the engine.
