/* SPDX-License-Identifier: BSD-3-Clause */
/* Rings in plain memory, to be read by the library's own code. */
#ifndef PCF_HOTPATH_RINGS_H
#define PCF_HOTPATH_RINGS_H

#include "backend/backend.h"

#define HOTPATH_PACKETS 4096u
#define HOTPATH_LENGTH	64u

struct hotpath_source {
	const char *name;
	const struct pcf_rx_ops *ops;
	struct pcf_queue *(*open)(void);
	/* Fill the ring, which was read and given back to the last packet;
	 * the first `round` is 1. */
	void (*feed)(unsigned round);
};

extern const struct hotpath_source hotpath_sources[2];

/* A backend with one queue that sends: what is kicked is sent at once. */
struct pcf_backend *hotpath_sender(void);

#endif
