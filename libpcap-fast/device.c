/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Parsing of device names and queue lists. Knows neither interfaces nor
 * handles; whether a name exists is for others to find out.
 */
#include "libpcap-fast/device.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "pcap-fast.h"

static const struct {
	const char *text;
	int mode;
} prefixes[] = {
	{ "exclusive:", PCAP_FAST_MODE_EXCLUSIVE },
	{ "mirror:", PCAP_FAST_MODE_MIRROR },
	{ "system:", PCAP_FAST_MODE_SYSTEM },
};

static const char *take_prefix(const char *text, struct pcf_device *device)
{
	for (unsigned i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t n = strlen(prefixes[i].text);

		if (strncmp(text, prefixes[i].text, n))
			continue;
		device->mode = prefixes[i].mode;
		device->prefixed = true;
		return text + n;
	}
	return text;
}

/* One part of the text, up to (not including) the first of `ends`. */
static int take_part(const char **text, const char *ends, char *out,
		     size_t room, const char *what, char *why, size_t size)
{
	size_t n = strcspn(*text, ends);

	if (!n) {
		snprintf(why, size, "the %s is empty", what);
		return -EINVAL;
	}
	if (n >= room) {
		snprintf(why, size, "the %s is longer than %zu characters",
			 what, room - 1);
		return -ENAMETOOLONG;
	}
	memcpy(out, *text, n);
	out[n] = '\0';
	*text += n;
	return 0;
}

/* The kernel allows '@' and '%' in an interface's name (though not ':'), so
 * they only mean something after a prefix. */
static int take_parts(const char *text, struct pcf_device *device, char *why,
		      size_t size)
{
	const char *ends = device->prefixed ? "@%" : "";
	int error;

	error = take_part(&text, ends, device->name, sizeof(device->name),
			  "device name", why, size);
	if (!error && *text == '@') {
		text++;
		error = take_part(&text, "%", device->queues,
				  sizeof(device->queues),
				  "queue list after '@'", why, size);
	}
	if (!error && *text == '%') {
		text++;
		error = take_part(&text, "", device->cluster,
				  sizeof(device->cluster),
				  "cluster name after '%'", why, size);
	}
	return error;
}

int pcf_device_parse(const char *text, struct pcf_device *device, char *why,
		     size_t size)
{
	int error;

	memset(device, 0, sizeof(*device));
	device->mode = PCAP_FAST_MODE_AUTO;
	error = take_parts(take_prefix(text, device), device, why, size);
	if (error)
		*device->name = *device->queues = *device->cluster = '\0';
	return error;
}

/* A number of at most nine digits, so that it cannot overflow. */
static int take_number(const char **text, unsigned *number)
{
	size_t digits = strspn(*text, "0123456789");

	if (!digits || digits > 9)
		return -EINVAL;
	*number = 0;
	for (size_t i = 0; i < digits; i++)
		*number = *number * 10 + (unsigned)((*text)[i] - '0');
	*text += digits;
	return 0;
}

static int take_range(const char **text, unsigned *first, unsigned *last)
{
	int error = take_number(text, first);

	*last = *first;
	if (!error && **text == '-') {
		++*text;
		error = take_number(text, last);
	}
	return error ? error : *last < *first ? -EINVAL : 0;
}

static int set_range(uint64_t mask[], unsigned first, unsigned last)
{
	for (unsigned queue = first; queue <= last; queue++) {
		uint64_t bit = UINT64_C(1) << queue % 64;

		if (mask[queue / 64] & bit)
			return -EINVAL;
		mask[queue / 64] |= bit;
	}
	return (int)(last - first + 1);
}

static int list_error(const char *list, const char *what, int error, char *why,
		      size_t size)
{
	snprintf(why, size, "queue list \"%s\": %s", list, what);
	return error;
}

/* One range of the list and what stands behind it: how many queues. */
static int take_queues(const char **at, const char *list, uint64_t mask[],
		       unsigned max, char *why, size_t size)
{
	unsigned first, last;
	char what[96];
	int n;

	if (take_range(at, &first, &last) || (**at && **at != ',') ||
	    (**at == ',' && !(*at)[1]))
		return list_error(list, "not a list like 0,2-3", -EINVAL, why,
				  size);
	if (last >= max) {
		snprintf(what, sizeof(what),
			 "there is no queue %u, the interface has %u", last,
			 max);
		return list_error(list, what, -ERANGE, why, size);
	}
	n = set_range(mask, first, last);
	if (n < 0)
		return list_error(list, "a queue is named twice", n, why, size);
	if (**at)
		++*at;
	return n;
}

int pcf_queue_list(const char *list, uint64_t mask[], unsigned max, char *why,
		   size_t size)
{
	const char *at = list;
	int count = 0;

	memset(mask, 0, (max + 63) / 64 * sizeof(mask[0]));
	if (!list || !*list)
		return max ? set_range(mask, 0, max - 1) : 0;
	while (*at) {
		int n = take_queues(&at, list, mask, max, why, size);

		if (n < 0)
			return n;
		count += n;
	}
	return count;
}
