# The policies of the published workload github.
package github

subject := input.principal

object := data.entities[input.resource]

is_in(one, other) if one == other

is_in(one, other) if data.ancestors[one][other]

reasons contains "policy0" if {
	input.action == "Action::read"
	is_in(subject, object.readers)
}

reasons contains "policy1" if {
	is_in(input.action, "Action::triage")
	is_in(subject, object.triagers)
}

reasons contains "policy2" if {
	is_in(input.action, "Action::write")
	is_in(subject, object.writers)
}

reasons contains "policy3" if {
	is_in(input.action, "Action::maintain")
	is_in(subject, object.maintainers)
}

reasons contains "policy4" if {
	is_in(input.action, "Action::admin")
	is_in(subject, object.admins)
}

reasons contains "policy5" if {
	input.action == "Action::read"
	is_in(subject, data.entities[object.owner].readers)
}

reasons contains "policy6" if {
	is_in(input.action, "Action::write")
	is_in(subject, data.entities[object.owner].writers)
}

reasons contains "policy7" if {
	is_in(input.action, "Action::admin")
	is_in(subject, data.entities[object.owner].admins)
}
