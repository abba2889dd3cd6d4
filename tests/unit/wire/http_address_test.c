#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cmocka.h>

#include "wire/http_client_private.h"

static bool is_public(const char *written)
{
	struct sockaddr_storage storage = {0};
	struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)&storage;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)&storage;

	if (strchr(written, ':') != NULL) {
		v6->sin6_family = AF_INET6;
		assert_int_equal(inet_pton(AF_INET6, written, &v6->sin6_addr), 1);
	} else {
		v4->sin_family = AF_INET;
		assert_int_equal(inet_pton(AF_INET, written, &v4->sin_addr), 1);
	}
	return http_address_is_public((const struct sockaddr *)(const void *)&storage);
}

static void what_is_one_networks_is_not_the_worlds(void **state)
{
	static const char *const kept[] = {"0.0.0.0", "0.1.2.3", "10.0.0.0", "10.255.255.255",
		"100.64.0.0", "100.127.255.255", "127.0.0.1", "127.255.255.255", "169.254.0.0",
		"169.254.169.254", "172.16.0.0", "172.31.255.255", "192.0.0.8", "192.0.2.1",
		"192.88.99.1", "192.168.0.0", "192.168.255.255", "198.18.0.0", "198.19.255.255",
		"198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1",
		"255.255.255.255", "::", "::1", "::ffff:8.8.8.8", "::ffff:127.0.0.1",
		"64:ff9b::8.8.8.8", "64:ff9b::127.0.0.1", "100::1", "2001::1", "2001:2::1",
		"2001:db8::1", "2002:7f00:1::", "3fff::1", "4000::1", "fc00::1", "fdff::1",
		"fe80::1", "fec0::1", "ff02::1"};

	(void)state;
	for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
		if (is_public(kept[i]))
			fail_msg("%s is taken for public", kept[i]);
}

static void what_is_beside_it_is(void **state)
{
	static const char *const open[] = {"1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255",
		"100.128.0.0", "126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0",
		"172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0", "198.17.255.255",
		"198.20.0.0", "223.255.255.255", "2001:200::1", "2606:4700::1", "2a00::1",
		"2003::1"};

	(void)state;
	for (size_t i = 0; i < sizeof open / sizeof open[0]; i++)
		if (!is_public(open[i]))
			fail_msg("%s is taken for private", open[i]);
}

static void what_is_no_address_of_the_internet_is_not(void **state)
{
	const struct sockaddr_un local = {.sun_family = AF_UNIX};

	(void)state;
	assert_false(http_address_is_public((const struct sockaddr *)(const void *)&local));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_one_networks_is_not_the_worlds),
		cmocka_unit_test(what_is_beside_it_is),
		cmocka_unit_test(what_is_no_address_of_the_internet_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
