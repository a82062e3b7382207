/* SPDX-License-Identifier: BSD-3-Clause */
/* Owner records of slots: made for this process, judged for others. */
#ifndef PCF_OWNER_H
#define PCF_OWNER_H

#include "backend/root.h"

/* Fill in who this process is, and make its lifeline: a descriptor (>= 0, to
 * be kept open as long as the slot is held) or negative errno. */
int pcf_owner_self(struct pcf_owner *o);

/* Whether its pid says something here. */
bool pcf_owner_here(const struct pcf_owner *o);

/* Whether anybody still holds the record's lifeline. */
bool pcf_owner_alive(const struct pcf_owner *o);

#endif
