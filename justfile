# Every habit of the project. Each recipe is one script or one command; `.ci/run` runs the same ones.

[private]
default:
    @just --list

# formatting and lints, as CI checks them
check:
    scripts/check

# rewrite the formatting
fmt:
    cargo fmt --all

# all tests of the workspace
test *ARGS:
    scripts/test {{ ARGS }}

# beside Terraform on the same stack, state and cloud
conformance *ARGS:
    scripts/conformance {{ ARGS }}

# measure both tools in one run and print the table
bench *ARGS:
    scripts/bench {{ ARGS }}

# kill it, let AWS misbehave, and count what is lost (default: 100 kills)
chaos *ARGS:
    scripts/chaos {{ ARGS }}

# the API documentation of the workspace
docs:
    scripts/docs

# licences, banned crates and sources of the dependencies
deny:
    cargo deny check licenses bans sources

# the example stack from plan to proof, in the sandbox
demo:
    scripts/demo

# each fuzz target for some seconds (default 60)
fuzz *ARGS:
    scripts/fuzz {{ ARGS }}
