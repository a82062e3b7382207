/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Device names as callers write them: [MODE:]INTERFACE[@QUEUES][%CLUSTER],
 * the last two only after a mode. Text in, struct out; no system calls.
 */
#ifndef PCF_DEVICE_H
#define PCF_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCF_DEVICE_NAME_SIZE	128
#define PCF_DEVICE_LIST_SIZE	256
/* As the kernel's record of an owner has room for. */
#define PCF_DEVICE_CLUSTER_SIZE 32

struct pcf_device {
	int mode; /* enum pcap_fast_mode; AUTO without prefix */
	char name[PCF_DEVICE_NAME_SIZE]; /* the system library's device name */
	char queues[PCF_DEVICE_LIST_SIZE];     /* "" all */
	char cluster[PCF_DEVICE_CLUSTER_SIZE]; /* "" none */
	bool prefixed;
};

/* "exclusive:eth0@0,2-3%ids". Exactly the prefixes exclusive:, mirror: and
 * system: are known; without one, the whole text is the name. 0; -EINVAL: no
 * name, or an empty list or cluster; -ENAMETOOLONG. On error `why` has the
 * reason and the texts in `device` are empty; without a prefix, such a name is
 * still the system library's to judge. */
int pcf_device_parse(const char *text, struct pcf_device *device, char *why,
		     size_t size);

/* Set the bit of each queue in the list, "0,2-3"; NULL or "" for all of the
 * `max` queues. `mask` has room for (max + 63) / 64 words, all of which are
 * written. How many queues, or -EINVAL (syntax, a queue named twice) or
 * -ERANGE (no such queue) with the reason in `why`. */
int pcf_queue_list(const char *list, uint64_t mask[], unsigned max, char *why,
		   size_t size);

#endif
