"""A durable HL7 integration engine: feeds in Python and TOML, everything else in Rust."""
