# The policies of the published workload gdrive.
package gdrive

subject := data.entities[input.principal]

is_in(one, other) if one == other

is_in(one, other) if data.ancestors[one][other]

reasons contains "policy0" if {
	input.action == "Action::read"
	is_in(input.resource, subject.documentsAndFoldersWithViewAccess)
}

reasons contains "policy1" if {
	input.action == "Action::read"
	data.entities[input.resource].isPublic
}

reasons contains "policy2" if {
	input.action in {"Action::read", "Action::write", "Action::share"}
	some owned in subject.ownedDocuments
	is_in(input.resource, owned)
}

reasons contains "policy2" if {
	input.action in {"Action::read", "Action::write", "Action::share"}
	some owned in subject.ownedFolders
	is_in(input.resource, owned)
}

reasons contains "policy3" if {
	input.action == "Action::changeOwner"
	input.resource in subject.ownedDocuments
}

reasons contains "policy4" if {
	input.action == "Action::createDocument"
	input.resource in subject.ownedFolders
}
