/* SPDX-License-Identifier: BSD-3-Clause */
/* Error texts go into the real handle's buffer, which pcap_geterr() returns
 * writable; it has PCAP_ERRBUF_SIZE bytes. */
#include "libpcap-fast/error.h"

#include "compat/stock.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int pcf_fail(pcap_t *p, int code, const char *fmt, ...)
{
	char *buf = pcf_stock()->pcap_geterr(p);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, PCAP_ERRBUF_SIZE, fmt, ap);
	va_end(ap);
	return code;
}

int pcf_fail_errno(pcap_t *p, int err, const char *what)
{
	int code = err == -EPERM || err == -EACCES ? PCAP_ERROR_PERM_DENIED :
		   err == -ENODEV ? PCAP_ERROR_NO_SUCH_DEVICE : PCAP_ERROR;

	return pcf_fail(p, code, "%s: %s", what, strerror(-err));
}
