/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The choice of mode: a pure function of what is asked for and what is so.
 * Every step down carries its reason in words that a user can act on.
 */
#ifndef PCF_MODE_H
#define PCF_MODE_H

#include "backend/facts.h"
#include "pcap-fast.h"

/* What the caller asked of the handle, as far as the choice depends on it. */
struct pcf_request {
	const char *device;	/* without prefix; NULL means "any" */
	int mode;		/* enum pcap_fast_mode */
	int zerocopy;		/* enum pcap_fast_zerocopy */
	const char *queues;	/* list or NULL */
	const char *cluster;	/* its name; NULL or "" none */
	bool promisc;
	bool rfmon;
	bool protocol_set;	/* pcap_set_protocol_linux() other than all */
	bool adapter_tstamp;	/* a hardware time stamp type was set, ... */
	bool synced_tstamp;	/* ... that of a synchronised clock */
	bool rx_hash;
};

struct pcf_choice {
	int mode;		/* enum pcap_fast_mode, never AUTO */
	int error;		/* 0, or the PCAP_ERROR* to fail with: a mode
				 * asked for by name cannot be had */
	bool dedicated;		/* nobody else uses the interface */
	char reason[PCAP_FAST_REASON_SIZE];
};

void pcf_mode_choose(const struct pcf_request *request,
		     const struct pcf_facts *facts, struct pcf_choice *choice);

/* "auto", "system", "exclusive", "mirror"; "?" for anything else. */
const char *pcf_mode_name(int mode);
/* The mode of that name, or -1. */
int pcf_mode_by_name(const char *name);

#endif
