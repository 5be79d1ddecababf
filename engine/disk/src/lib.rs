//! The disk room of the engine.
