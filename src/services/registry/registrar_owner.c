/* Acknowledging: somebody says that they answer for an identity whose owner has left, or that
 * an owner who was moved to another unit goes on.  Nobody is put in an owner's place in silence:
 * until then the rule of domain/decide/owner.c holds it.  Who may is the rules' about people. */
#include "domain/charter/nearest.h"
#include "domain/charter/owner.h"
#include "services/registry/registrar_private.h"

struct acknowledging {
	struct registrar *registrar;
	struct registrar_request *request;
	const struct registry_entry *entry;
	enum owner_need need;
	struct written_change written;
	struct error err;
};

static bool find_identity(struct acknowledging *this)
{
	const struct registrar_request *request = this->request;

	this->entry = registry_find_identity(this->registrar->registry, request->name);
	if (this->entry == NULL || this->entry->in_force == NULL)
		return name_unknown(
			this->registrar->registry, OBJECT_IDENTITY, request->name, &this->err);
	if (request->has_if_match && request->if_match != this->entry->revision)
		return error_set(&this->err, ERROR_CONFLICT,
			"it changed since you looked: it is at revision %llu",
			(unsigned long long)this->entry->revision);
	this->need = owner_need_of(this->registrar->registry, this->entry);
	if (this->need == OWNER_NEED_BACKUP)
		return error_set(&this->err, ERROR_CONFLICT,
			"its owner %.*s is here; what it lacks is a backup owner: apply a charter "
			"that names one",
			TEXT_ARGS(owner_of(this->entry)));
	return this->need != OWNER_NEED_NONE ||
	       error_set(&this->err, ERROR_CONFLICT,
		       "its owner %.*s is here: there is nothing to acknowledge",
		       TEXT_ARGS(owner_of(this->entry)));
}

static bool check_actor(struct acknowledging *this)
{
	const struct registry *registry = this->registrar->registry;
	struct people_resource about = registry_resource_of_entry(registry, this->entry);

	if (this->need == OWNER_NEED_OWNER)
		about.successor = owner_backup_of(registry, this->entry);
	else
		about.moved = owner_of(this->entry);
	return registry_may_about(
		registry, this->request->actor, PEOPLE_ACKNOWLEDGE, &about, &this->err);
}

static bool write_acknowledgement(struct acknowledging *this)
{
	struct registry_change *change = &this->written.change;
	struct json_builder record;

	change->acknowledged = registry_revision(this->registrar->registry) + 1;
	if (this->need == OWNER_NEED_OWNER)
		change->owner_in_force = actor_person(this->request->actor);
	registrar_record_start(this->registrar, &record, "state", this->request->actor);
	json_put_cstring(&record, "verb", "acknowledge");
	json_put_text(&record, "identity", this->entry->name);
	json_put_cstring(&record, "need", owner_need_word(this->need));
	json_put_text(&record, "owner_before", owner_of(this->entry));
	if (this->request->reason.length > 0)
		json_put_text(&record, "reason", this->request->reason);
	return registrar_record_finish(this->registrar, &record, &this->written, 1, &this->err);
}

enum prepared_as registrar_prepare_acknowledge(
	struct registrar *registrar, struct registrar_request *request)
{
	struct acknowledging this = {.registrar = registrar, .request = request};

	if (!find_identity(&this) || !check_actor(&this))
		return registrar_refuse(request, &this.err);
	this.written = written_change_of(registrar, this.entry);
	return write_acknowledgement(&this) ? PREPARED_RECORD
					    : registrar_refuse(request, &this.err);
}
