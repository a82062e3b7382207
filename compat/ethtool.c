/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Questions about an interface that ethtool answers, by ioctl. Keeps no
 * state. Features are looked up by their names: the old flag calls do not
 * know of the service tag (802.1ad).
 */
#include "compat/ethtool.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "compat/netlink.h"

/* Far above the number of device features of any kernel (64 in 6.18). */
#define FEATURES_MAX 1024

static int ethtool_call(const char *name, void *argument)
{
	struct ifreq request = { .ifr_data = argument };
	int fd, error = 0;

	if (strlen(name) >= IFNAMSIZ)
		return -ENODEV;
	strcpy(request.ifr_name, name);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (ioctl(fd, SIOCETHTOOL, &request))
		error = -errno;
	close(fd);
	return error;
}

int pcf_link_driver(const char *name, char *driver, size_t size)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	int error = ethtool_call(name, &info);
	size_t n;

	driver[0] = '\0';
	if (error)
		return error == -EOPNOTSUPP ? 0 : error;
	n = strnlen(info.driver, sizeof(info.driver));
	if (n > size - 1)
		n = size - 1;
	memcpy(driver, info.driver, n);
	driver[n] = '\0';
	return 0;
}

int pcf_ethtool_rx_queues(const char *name, uint32_t *count)
{
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
	struct ethtool_rxnfc rings = { .cmd = ETHTOOL_GRXRINGS };
	int error = ethtool_call(name, &channels);

	*count = channels.rx_count + channels.combined_count;
	if (!error && *count)
		return 0;
	error = ethtool_call(name, &rings);
	*count = error ? 0 : rings.data;
	return error;
}

/* How many features the kernel has names for, 0 when that fails. */
static uint32_t feature_count(const char *name)
{
	struct {
		struct ethtool_sset_info info;
		uint32_t count;
	} sets = { .info = { .cmd = ETHTOOL_GSSET_INFO,
			     .sset_mask = 1ULL << ETH_SS_FEATURES } };

	if (ethtool_call(name, &sets) || !sets.info.sset_mask ||
	    sets.count > FEATURES_MAX)
		return 0;
	return sets.count;
}

static struct ethtool_gstrings *feature_names(const char *name, uint32_t count)
{
	struct ethtool_gstrings *names;

	names = calloc(1, sizeof(*names) + count * ETH_GSTRING_LEN);
	if (!names)
		return NULL;
	names->cmd = ETHTOOL_GSTRINGS;
	names->string_set = ETH_SS_FEATURES;
	names->len = count;
	if (!ethtool_call(name, names) && names->len == count)
		return names;
	free(names);
	return NULL;
}

static struct ethtool_gfeatures *feature_bits(const char *name, uint32_t count)
{
	struct ethtool_gfeatures *bits;
	uint32_t blocks = (count + 31) / 32;

	bits = calloc(1, sizeof(*bits) + blocks * sizeof(bits->features[0]));
	if (!bits)
		return NULL;
	bits->cmd = ETHTOOL_GFEATURES;
	bits->size = blocks;
	if (!ethtool_call(name, bits))
		return bits;
	free(bits);
	return NULL;
}

/* Of the features that `wanted` names: whether one is on, and whether one that
 * is off can be switched on. */
static int find_features(const char *name, bool (*wanted)(const char *feature),
			 bool *on, bool *off)
{
	uint32_t count = feature_count(name);
	struct ethtool_gstrings *names;
	struct ethtool_gfeatures *bits;

	*on = *off = false;
	if (!count)
		return -EOPNOTSUPP;
	names = feature_names(name, count);
	bits = feature_bits(name, count);
	for (uint32_t i = 0; names && bits && i < count; i++) {
		uint32_t active = bits->features[i / 32].active;
		uint32_t can_be = active | bits->features[i / 32].available;

		if (!wanted((char *)names->data + i * ETH_GSTRING_LEN))
			continue;
		*on |= active >> i % 32 & 1;
		*off |= (active ^ can_be) >> i % 32 & 1;
	}
	count = names && bits;
	free(bits);
	free(names);
	return count ? 0 : -EOPNOTSUPP;
}

static bool strips_tags(const char *feature)
{
	return !strncmp(feature, "rx-vlan-hw-parse", ETH_GSTRING_LEN) ||
	       !strncmp(feature, "rx-vlan-stag-hw-parse", ETH_GSTRING_LEN);
}

int pcf_link_rx_vlan_offload(const char *name, bool *on)
{
	bool off;

	return find_features(name, strips_tags, on, &off);
}

static bool hashes(const char *feature)
{
	return !strncmp(feature, "rx-hashing", ETH_GSTRING_LEN);
}

int pcf_link_rx_hash_off(const char *name, bool *off)
{
	bool on;

	return find_features(name, hashes, &on, off);
}
