#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The harness as one test of `make check`.
exec "$(dirname "$0")/run"
