# The policies of the published workload tinytodo.
package tinytodo

object := data.entities[input.resource]

is_in(one, other) if one == other

is_in(one, other) if data.ancestors[one][other]

reasons contains "policy0" if {
	input.action in {"Action::CreateList", "Action::GetLists"}
	input.resource == "Application::TinyTodo"
}

reasons contains "policy1" if object.owner == input.principal

reasons contains "policy2" if {
	input.action == "Action::GetList"
	is_in(input.principal, object.readers)
}

reasons contains "policy2" if {
	input.action == "Action::GetList"
	is_in(input.principal, object.editors)
}

reasons contains "policy3" if {
	input.action in {
		"Action::UpdateList", "Action::CreateTask",
		"Action::UpdateTask", "Action::DeleteTask",
	}
	is_in(input.principal, object.editors)
}
