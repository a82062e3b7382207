/* SPDX-License-Identifier: BSD-3-Clause */
/* Finding and opening the system's libpcap; see stock.h. */
#include "compat/stock.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Deprecated functions are part of the ABI all the same. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

struct pcf_stock pcf_stock_table;
atomic_bool pcf_stock_ready;
__thread int pcf_stock_depth __attribute__((tls_model("initial-exec")));

/* The two data objects of libpcap's ABI. Programs may hold copies of them
 * (COPY relocations), so their sizes are part of the ABI, and a program may
 * read them before its first call: they start with the values of 1.10 and are
 * overwritten by what the system's library has. */
struct pcf_eproto {
	const char *name;
	u_short protocol;
};

#pragma GCC visibility push(default)
extern char pcap_version[PCF_PCAP_VERSION_SIZE];
extern struct pcf_eproto eproto_db[13];
char pcap_version[PCF_PCAP_VERSION_SIZE] = PCF_PCAP_VERSION;
struct pcf_eproto eproto_db[13] = {
	{ "aarp", 0x80f3 },  { "arp", 0x0806 },	     { "atalk", 0x809b },
	{ "decnet", 0x6003 }, { "ip", 0x0800 },	     { "ip6", 0x86dd },
	{ "lat", 0x6004 },   { "loopback", 0x9000 }, { "mopdl", 0x6001 },
	{ "moprc", 0x6002 }, { "rarp", 0x8035 },     { "sca", 0x6007 },
	{ NULL, 0 },
};
#pragma GCC visibility pop

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char load_error[256];
static char load_path[4096];

const char *pcf_stock_error(void)
{
	return load_error;
}

const char *pcf_stock_path(void)
{
	return load_path;
}

static const char *system_path(void)
{
	const char *path = secure_getenv("PCAP_FAST_SYSTEM_LIBPCAP");

	return path && *path ? path : PCF_SYSTEM_LIBPCAP;
}

/* By a bare name, dlopen() would give this very library: the drop-in has the
 * same SONAME. So: absolute paths only, and a look at what came back. */
static void *open_system(const char *path)
{
	void *lib;

	if (*path != '/') {
		snprintf(load_error, sizeof(load_error),
			 "the system's libpcap must be given by an absolute path, not \"%.100s\"",
			 path);
		return NULL;
	}
	lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!lib) {
		snprintf(load_error, sizeof(load_error),
			 "cannot open the system's libpcap: %.200s", dlerror());
		return NULL;
	}
	if (dlsym(lib, "pcap_next_batch") || dlsym(lib, "pcap_fast_get_info") ||
	    dlsym(lib, "pcap_create") == (void *)pcap_create) {
		snprintf(load_error, sizeof(load_error),
			 "%.150s is libpcap-fast itself, not the system's libpcap",
			 path);
		dlclose(lib);
		return NULL;
	}
	snprintf(load_path, sizeof(load_path), "%s", path);
	return lib;
}

static void copy_data(void *lib)
{
	const void *version = dlsym(lib, "pcap_version");
	const void *eproto = dlsym(lib, "eproto_db");

	if (version)
		memcpy(pcap_version, version, sizeof(pcap_version));
	if (eproto)
		memcpy(eproto_db, eproto, sizeof(eproto_db));
}

static void load(void)
{
	int saved_errno = errno;
	void *lib = open_system(system_path());

	if (lib) {
#define RESOLVE(name) *(void **)&pcf_stock_table.name = dlsym(lib, #name);
		PCF_STOCK_FUNCTIONS(RESOLVE)
#undef RESOLVE
		copy_data(lib);
	}
	atomic_store_explicit(&pcf_stock_ready, true, memory_order_release);
	errno = saved_errno;
}

void pcf_stock_load(void)
{
	pthread_once(&once, load);
}
