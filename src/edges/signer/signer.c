/* The keeper of keys (README.md here), and the ports that call it in the same process.
 *
 * S3  Nothing is signed but by a message of the table, whose checks it passed.
 * S4  The struct lies in pages of its own, kept out of core dumps and locked where the
 *     system allows it. */
#include "edges/signer/signer.h"

#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "edges/signer/signer_private.h"

static int64_t system_utc_ms(void *context)
{
	struct timespec now;

	(void)context;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct signer *signer_allocate(void)
{
	void *pages = mmap(NULL, sizeof(struct signer), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (pages == MAP_FAILED)
		return NULL;
	if (madvise(pages, sizeof(struct signer), MADV_DONTDUMP) != 0) {
		munmap(pages, sizeof(struct signer));
		return NULL;
	}
	/* A limit of zero locked pages must not stop the daemon. */
	(void)mlock(pages, sizeof(struct signer));
	return pages;
}

int64_t signer_now_utc_ms(const struct signer *signer)
{
	return signer->wall_utc_ms(signer->clock_context);
}

static bool fill(struct signer *signer, const struct signer_settings *settings, struct error *err)
{
	signer->folder_fd = -1;
	memcpy(signer->folder, settings->folder, strlen(settings->folder) + 1);
	signer->wall_utc_ms = settings->wall_utc_ms == NULL ? system_utc_ms : settings->wall_utc_ms;
	signer->clock_context = settings->clock_context;
	signer->tokens.stage = STAGE_GREETED; /* who opens it sees the keys */
	signer->arena = arena_create(SIGNER_ARENA_BYTES_MAX);
	if (signer->arena == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the signer");
	return key_folder_open(signer, err) && key_folder_make(signer, err) &&
	       key_folder_load(signer, err) &&
	       (settings->master == SIGNER_MASTER_LEFT || key_folder_load_master(signer, err));
}

bool signer_open(struct signer **out, const struct signer_settings *settings, struct error *err)
{
	struct signer *signer = NULL;
	bool is_ok = false;

	*out = NULL;
	if (strlen(settings->folder) >= SIGNER_PATH_BYTES_MAX)
		return error_set(err, ERROR_INVALID, "the path of the keys is too long");
	signer = signer_allocate();
	if (signer == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the signer");
	is_ok = fill(signer, settings, err);
	if (is_ok)
		*out = signer;
	else
		signer_close(&signer);
	return is_ok ? true : error_wrap(err, "keys");
}

void signer_close(struct signer **signer)
{
	if (*signer == NULL)
		return;
	private_key_destroy(&(*signer)->token.key);
	private_key_destroy(&(*signer)->next.key);
	private_key_destroy(&(*signer)->checkpoint_key);
	arena_destroy(&(*signer)->arena);
	if ((*signer)->folder_fd >= 0)
		close((*signer)->folder_fd);
	explicit_bzero(*signer, sizeof **signer);
	munmap(*signer, sizeof **signer);
	*signer = NULL;
}

/* ---- ports in this process ---- */

/* Asks by the same packets as another process does.  reply is the caller's, to clear. */
static bool ask(struct signer *signer, struct text packet, struct buffer *reply,
	struct text *out_payload, struct error *err)
{
	struct message asked;
	enum signer_channel channel = CHANNEL_TOKENS;

	*out_payload = (struct text){0};
	if (!message_read(&asked, packet, err))
		return false;
	if (asked.type == MESSAGE_LAST_HEAD || asked.type == MESSAGE_SIGN_HEAD)
		channel = CHANNEL_HEADS;
	return signer_handle(signer, channel, packet, reply, err) == SIGNER_ANSWERED &&
	       message_take_reply(out_payload, &asked, buffer_text(reply), err);
}

static void buffer_clear(struct buffer *buffer)
{
	if (buffer->data != NULL)
		explicit_bzero(buffer->data, buffer->length);
	buffer_deinit(buffer);
}

static void ask_and_tell(
	struct signer *signer, const struct buffer *packet, struct token_signing *signing)
{
	struct buffer reply;

	buffer_init(&reply, MESSAGE_REPLY_BYTES_MAX);
	if (buffer_failed(packet))
		error_set(&signing->err, ERROR_LIMIT, "no memory to ask the signer");
	else
		signing->is_signed =
			ask(signer, buffer_text(packet), &reply, &signing->token, &signing->err);
	signing->done(signing);
	buffer_clear(&reply);
}

/* What is put to the signer for one signature. */
struct asked {
	struct arena *arena; /* NULL: no memory */
	struct buffer packet;
};

static bool asked_init(struct asked *asked, struct error *err)
{
	asked->arena = arena_create(SIGNER_ARENA_BYTES_MAX);
	buffer_init(&asked->packet, MESSAGE_REQUEST_BYTES_MAX);
	return asked->arena != NULL || error_set(err, ERROR_LIMIT, "no memory to ask the signer");
}

/* Whoever waits is told, also where nothing could be put. */
static void asked_send(
	struct signer *signer, struct asked *asked, bool is_put, struct token_signing *signing)
{
	if (is_put)
		ask_and_tell(signer, &asked->packet, signing);
	else
		signing->done(signing);
	buffer_deinit(&asked->packet);
	arena_destroy(&asked->arena);
}

static void port_sign(
	void *context, const struct access_token *token, struct token_signing *signing)
{
	struct signer *signer = context;
	struct asked asked;
	bool is_put = asked_init(&asked, &signing->err) &&
		      message_put_token(&asked.packet, asked.arena, signer->tokens.number + 1,
			      token, &signing->err);

	asked_send(signer, &asked, is_put, signing);
}

static void port_sign_card(void *context, const struct json *card, struct token_signing *signing)
{
	struct signer *signer = context;
	struct asked asked;
	bool is_put = asked_init(&asked, &signing->err) &&
		      message_put_card(&asked.packet, asked.arena, signer->tokens.number + 1, card,
			      &signing->err);

	asked_send(signer, &asked, is_put, signing);
}

static void port_sign_identity(
	void *context, const struct identity_token *token, struct token_signing *signing)
{
	struct signer *signer = context;
	struct asked asked;
	bool is_put = asked_init(&asked, &signing->err) &&
		      message_put_identity(&asked.packet, asked.arena, signer->tokens.number + 1,
			      token, &signing->err);

	asked_send(signer, &asked, is_put, signing);
}

static void port_make_key(void *context, struct token_signing *making)
{
	struct signer *signer = context;
	const struct message asked = {
		.type = MESSAGE_MAKE_KEY, .number = signer->tokens.number + 1};
	struct buffer packet;

	buffer_init(&packet, MESSAGE_REQUEST_BYTES_MAX);
	message_start(&packet, &asked);
	ask_and_tell(signer, &packet, making);
	buffer_deinit(&packet);
}

static void port_use_key(
	void *context, struct text kid, int64_t from_utc_ms, struct token_signing *using)
{
	struct signer *signer = context;
	struct buffer packet;

	buffer_init(&packet, MESSAGE_REQUEST_BYTES_MAX);
	message_put_use(&packet, signer->tokens.number + 1, kid, from_utc_ms);
	ask_and_tell(signer, &packet, using);
	buffer_deinit(&packet);
}

struct token_signer signer_tokens(struct signer *signer)
{
	return (struct token_signer){
		.context = signer,
		.key = private_key_public(signer->token.key),
		.sign = port_sign,
		.make_key = port_make_key,
		.use_key = port_use_key,
	};
}

struct card_signer signer_cards(struct signer *signer)
{
	return (struct card_signer){signer, port_sign_card};
}

struct identity_signer signer_identities(struct signer *signer)
{
	return (struct identity_signer){signer, port_sign_identity};
}

bool signer_set_issuer(struct signer *signer, struct text issuer, struct error *err)
{
	const struct message asked = {
		.type = MESSAGE_SET_ISSUER, .number = signer->tokens.number + 1};
	struct buffer packet, reply;
	struct text nothing;
	bool is_ok = false;

	if (signer->tokens.stage == STAGE_SIGNING)
		return error_set(err, ERROR_CONFLICT, "the issuer is set already");
	buffer_init(&packet, MESSAGE_REQUEST_BYTES_MAX);
	buffer_init(&reply, MESSAGE_REPLY_BYTES_MAX);
	message_start(&packet, &asked);
	buffer_append_text(&packet, issuer);
	is_ok = buffer_failed(&packet)
			? error_set(err, ERROR_INVALID, "the issuer is not an http(s) URL")
			: ask(signer, buffer_text(&packet), &reply, &nothing, err);
	buffer_deinit(&packet);
	buffer_deinit(&reply);
	return is_ok;
}

static bool checkpoint_port_last(void *context, struct tree_head *out, struct error *err)
{
	const struct signer *signer = context;

	(void)err;
	*out = signer->head;
	return true;
}

static bool checkpoint_port_sign(void *context, const struct tree_head *newer,
	const struct merkle_proof *proof, struct buffer *out_note, struct error *err)
{
	struct signer *signer = context;
	struct buffer packet, reply;
	struct text note = {0};
	bool is_ok = false;

	buffer_init(&packet, MESSAGE_REQUEST_BYTES_MAX);
	buffer_init(&reply, MESSAGE_REPLY_BYTES_MAX);
	message_put_head(&packet, signer->heads.number + 1, newer, proof);
	is_ok = buffer_failed(&packet) ? error_set(err, ERROR_LIMIT, "no memory to ask the signer")
				       : ask(signer, buffer_text(&packet), &reply, &note, err);
	if (is_ok)
		buffer_append_text(out_note, note);
	buffer_deinit(&packet);
	buffer_deinit(&reply);
	return is_ok;
}

struct checkpoint_signer signer_checkpoints(struct signer *signer)
{
	return (struct checkpoint_signer){
		.context = signer,
		.key = &signer->note_key,
		.last = checkpoint_port_last,
		.sign = checkpoint_port_sign,
	};
}

const struct seal_key *signer_master_key(const struct signer *signer)
{
	return &signer->master;
}

/* C2SP text without a line end. */
static bool verifier_key(
	const struct signer *signer, struct arena *arena, struct text *out, struct error *err)
{
	struct buffer text;

	buffer_init(&text, NOTE_KEY_TEXT_BYTES_MAX);
	note_key_format(&text, &signer->note_key);
	*out = buffer_failed(&text) ? (struct text){0} : text_copy(arena, buffer_text(&text));
	buffer_deinit(&text);
	return out->data != NULL ? true : error_set(err, ERROR_LIMIT, "no memory for a key");
}

bool signer_public_keys(
	const struct signer *signer, struct arena *arena, struct text *out, struct error *err)
{
	struct json_builder array, object;
	struct json jwk, token, checkpoint, all;
	struct text verifier;

	if (!jwk_format(&jwk, arena, private_key_public(signer->token.key), err) ||
		!verifier_key(signer, arena, &verifier, err))
		return false;
	json_object_start(&object, arena);
	json_put_cstring(&object, "use", "token");
	json_put(&object, "jwk", jwk);
	if (!json_object_seal(&object, &token, err))
		return false;
	json_object_start(&object, arena);
	json_put_cstring(&object, "use", "checkpoint");
	json_put_text(&object, "vkey", verifier);
	if (!json_object_seal(&object, &checkpoint, err))
		return false;
	json_array_start(&array, arena);
	json_add(&array, token);
	json_add(&array, checkpoint);
	if (!json_array_seal(&array, &all, err))
		return false;
	*out = json_canonical_text(arena, &all);
	return out->data != NULL ? true : error_set(err, ERROR_LIMIT, "no memory for the keys");
}

/* ---- the folder alone ---- */

/* A signer that holds nothing but the open folder. */
static bool open_folder(struct signer **out, const char *folder, struct error *err)
{
	struct signer *signer = signer_allocate();

	*out = signer;
	if (signer != NULL)
		signer->folder_fd = -1;
	if (signer == NULL || strlen(folder) >= SIGNER_PATH_BYTES_MAX)
		return error_set(err, ERROR_LIMIT, "no memory for the signer");
	memcpy(signer->folder, folder, strlen(folder) + 1);
	return key_folder_open(signer, err);
}

bool signer_read_master(struct seal_key *out, const char *folder, struct error *err)
{
	struct signer *signer = NULL;
	bool is_ok = open_folder(&signer, folder, err) && key_folder_load_master(signer, err);

	if (is_ok)
		*out = signer->master;
	signer_close(&signer);
	return is_ok;
}

bool signer_retire_checkpoint_key(const char *folder, struct error *err)
{
	struct signer *signer = NULL;
	bool is_ok = open_folder(&signer, folder, err) && key_folder_retire(signer, err);

	signer_close(&signer);
	return is_ok;
}
