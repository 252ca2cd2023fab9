# The verbs of this repository; `just` alone lists them.
_default:
    @just --list --unsorted

# A running testnet from a fresh clone; arguments go to `weft testnet up`.
testnet *arguments:
    scripts/testnet.sh {{arguments}}

# Every test, as CI runs them.
test:
    scripts/test.sh

# Every test, the long ones too.
full:
    scripts/test.sh --full

# Format, lints, shell scripts, licences.
lint:
    scripts/test.sh --lint

# Writes docs/spec/vectors anew; the change belongs into the commit that caused it.
vectors:
    WEFT_WRITE_VECTORS=1 cargo test --release -p weft-types --test vectors
    WEFT_WRITE_VECTORS=1 cargo test --release -p weft-consensus --lib --test scenarios published
