#!/usr/bin/env bash
# The scenario of tests/drivers with each driver, or those that are named, on a throwaway cluster with a pooler beside
# it: test-drivers.sh [DRIVER…]. Uses the installed extension.
source "$(dirname "$0")/common.sh"

[ -x "$PYTHON_DRIVERS/bin/python" ] || die "the drivers are missing: run scripts/install-prerequisites.sh --drivers"

# What users copy is what runs here.
python3 tests/drivers/readme.py

exec scripts/tool.sh cluster run tests/drivers/run.sh "$@"
