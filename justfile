# Names for commands, nothing more.

# the demo on an empty folder
demo:
    cargo run -- demo

# everything that CI runs
test *parts:
    ./test {{parts}}

# every flow and text, without starting anything
check:
    cargo run -- check

# play a flow in the terminal
talk flow:
    cargo run -- talk {{flow}}

# write golden files anew, then look at the diff
golden:
    UPDATE_GOLDEN=1 ./test rust
