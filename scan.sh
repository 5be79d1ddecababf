#!/bin/bash
# first failing seed from base
S=${S:-$(ls -t /tmp/wt/e-pipeline/target/debug/deps/simulation-* | grep -v '\.d$' | head -1)}
RUST_BACKTRACE=0 SIM_BASE=${1:-0} SIM_LIVES=${2:-500} timeout 200 $S whole --nocapture 2>&1 | grep -A2 "panicked at" | tail -8
