/* SPDX-License-Identifier: BSD-3-Clause */
/* What stands between an interface and fast capture: a pure function from
 * facts to findings, each with what would change it. */
#ifndef PCF_CHECKS_H
#define PCF_CHECKS_H

#include "backend/facts.h"
#include "libpcap-fast/mode.h"

enum check_verdict {
	CHECK_YES,
	CHECK_NO,	/* fast capture suffers, or cannot be */
	CHECK_NOTE	/* to know */
};

struct check_finding {
	const char *name;
	enum check_verdict verdict;
	char text[PCAP_FAST_REASON_SIZE + 64];
	char advice[192];	/* a command that would change it, "" none */
};

#define CHECK_MOST 16

/* What is looked at besides pcf_facts. */
struct check_machine {
	uint64_t memlock;	/* bytes, UINT64_MAX unlimited */
	bool tcpdump_confined;	/* by AppArmor */
	const char *stock_path;	/* of the system's libpcap */
	const char *stock_error; /* "" it could be opened */
};

/* Findings of the machine and process, how many. */
unsigned check_machine(const struct pcf_facts *f, const struct check_machine *m,
		       struct check_finding *out);

/* Findings of one interface; `choice` is what a promiscuous capture in `auto`
 * would get. */
unsigned check_interface(const struct pcf_facts *f,
			 const struct pcf_choice *choice,
			 struct check_finding *out);

#endif
