#!/usr/bin/env bash
# The catalogue on a testnet of its own, among the tests.
exec "$(dirname "${BASH_SOURCE[0]}")/../catalogue.sh"
