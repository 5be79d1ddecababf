//! The engine room of the engine.
