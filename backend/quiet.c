/* SPDX-License-Identifier: BSD-3-Clause */
/* Silence for the libraries below; see quiet.h. Their print functions are one
 * for the whole process: the first to come saves them, the last to go puts
 * them back. */
#include "backend/quiet.h"

#include <bpf/libbpf.h>
#include <pthread.h>
#include <xdp/libxdp.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned depth;
static libbpf_print_fn_t bpf_print;
static libxdp_print_fn_t xdp_print;

void pcf_quiet(bool on)
{
	pthread_mutex_lock(&lock);
	if (on && !depth++) {
		bpf_print = libbpf_set_print(NULL);
		xdp_print = libxdp_set_print(NULL);
	} else if (!on && !--depth) {
		libbpf_set_print(bpf_print);
		libxdp_set_print(xdp_print);
	}
	pthread_mutex_unlock(&lock);
}
