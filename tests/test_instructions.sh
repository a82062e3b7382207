#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What a packet costs in instructions has not grown: bench/instructions.
exec "$PCF_TOP/bench/instructions"
