#!/bin/bash
cd /tmp/wt/e-pipeline/engine; export CARGO_TARGET_DIR=/tmp/wt/e-pipeline/target
cargo test -q -p mllp-pipeline --lib --test simulation --no-run --message-format=short 2>&1 | head -60
