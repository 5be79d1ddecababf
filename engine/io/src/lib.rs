//! The io room of the engine.
