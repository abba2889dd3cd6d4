/* Client certificates: asked for, never needed.
 *
 * The library makes a TLS session for each connection and tells us before its handshake; there
 * we ask for a certificate, without naming authorities: who vouches for it, if anybody, is not
 * this layer's to say.  What the handshake shows is that the peer has the certificate's key.
 * Invariants:
 *  C1  a session is of one connection and one handshake: the library keeps no sessions and
 *      gives out no tickets, and a handshake that is begun again ends the connection.  So
 *      what was shown once holds until the connection ends;
 *  C2  it is read once a connection, at its first request that asks. */
#include "wire/http_private.h"

#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>

struct http_certificate {
	bool is_read;
	struct sha256 digest;
	uint8_t *der; /* NULL: none was shown */
	size_t size;
	struct above {
		uint8_t *der;
		size_t size;
	} above[HTTP_CERTIFICATES_ABOVE_MAX];
};

static gnutls_session_t session_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *about =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);

	return about == NULL ? NULL : (gnutls_session_t)about->tls_session;
}

static void certificate_free(struct http_certificate *certificate)
{
	if (certificate == NULL)
		return;
	for (size_t i = 0; i < HTTP_CERTIFICATES_ABOVE_MAX; i++)
		free(certificate->above[i].der);
	free(certificate->der);
	free(certificate);
}

void http_certificate_notify(void *context, struct MHD_Connection *connection, void **slot,
	enum MHD_ConnectionNotificationCode code)
{
	struct http_certificate *certificate = *slot;
	gnutls_session_t session = session_of(connection);

	(void)context;
	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		certificate_free(certificate);
		*slot = NULL;
		return;
	}
	if (session == NULL)
		return;
	*slot = calloc(1, sizeof *certificate); /* NULL: as if none were shown */
	gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUEST);
	gnutls_certificate_send_x509_rdn_sequence(session, 1);
}

static uint8_t *copy_of(const gnutls_datum_t *from)
{
	uint8_t *der = from->size == 0 || from->size > HTTP_CERTIFICATE_BYTES_MAX
			       ? NULL
			       : calloc(1, from->size);

	if (der != NULL)
		memcpy(der, from->data, from->size);
	return der;
}

/* A chain that is too long, or has one too large, is kept up to there: then it may not reach
 * the root, and proves nothing. */
static void read_above(
	struct http_certificate *certificate, const gnutls_datum_t *chain, unsigned count)
{
	for (unsigned i = 1; i < count && i <= HTTP_CERTIFICATES_ABOVE_MAX; i++) {
		struct above *above = &certificate->above[i - 1];

		above->der = copy_of(&chain[i]);
		if (above->der == NULL)
			return;
		above->size = chain[i].size;
	}
}

static void read_peer(struct http_certificate *certificate, gnutls_session_t session)
{
	unsigned count = 0;
	const gnutls_datum_t *chain = NULL;

	certificate->is_read = true;
	if (session == NULL ||
		gnutls_certificate_type_get2(session, GNUTLS_CTYPE_CLIENT) != GNUTLS_CRT_X509)
		return;
	chain = gnutls_certificate_get_peers(session, &count);
	if (chain == NULL || count == 0)
		return;
	certificate->der = copy_of(&chain[0]);
	if (certificate->der == NULL)
		return;
	certificate->size = chain[0].size;
	read_above(certificate, chain, count);
	certificate->digest = sha256_of(certificate->der, certificate->size);
}

static const struct http_certificate *certificate_of(const struct http_exchange *exchange)
{
	const union MHD_ConnectionInfo *about = NULL;
	struct http_certificate *certificate = NULL;

	if (!exchange->listener->is_tls)
		return NULL;
	about = MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	certificate = about == NULL ? NULL : about->socket_context;
	if (certificate == NULL)
		return NULL;
	if (!certificate->is_read)
		read_peer(certificate, session_of(exchange->connection));
	return certificate->der == NULL ? NULL : certificate;
}

struct text http_exchange_certificate(const struct http_exchange *exchange)
{
	const struct http_certificate *certificate = certificate_of(exchange);

	return certificate == NULL
		       ? (struct text){0}
		       : (struct text){(const char *)certificate->der, certificate->size};
}

struct text http_exchange_certificate_above(const struct http_exchange *exchange, size_t index)
{
	const struct http_certificate *certificate = certificate_of(exchange);
	const struct above *above;

	if (certificate == NULL || index >= HTTP_CERTIFICATES_ABOVE_MAX)
		return (struct text){0};
	above = &certificate->above[index];
	return (struct text){(const char *)above->der, above->size};
}

const struct sha256 *http_exchange_certificate_digest(const struct http_exchange *exchange)
{
	const struct http_certificate *certificate = certificate_of(exchange);

	return certificate == NULL ? NULL : &certificate->digest;
}
