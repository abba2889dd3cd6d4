// OPA as a Go library, as a peer of build/bench/cedar.  Usage: peer FOLDER
//
// The protocol is in bench/peers/README.md.  The policies were ported by hand; `in` is a
// look-up in the ancestors of each entity, computed before.  Timed: the input's value
// from texts, Eval of a prepared query on a store that holds values.
package main

import (
	"context"
	"embed"
	"encoding/json"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"

	"remit/bench/protocol"
)

//go:embed *.rego
var policies embed.FS

type uid struct{ Type, ID string }

func (u uid) key() string { return u.Type + "::" + u.ID }

// Reads {type, id}, or that under "__entity".
func (u *uid) UnmarshalJSON(text []byte) error {
	type plain uid
	var wrapped struct {
		Entity *plain `json:"__entity"`
	}
	if err := json.Unmarshal(text, &wrapped); err != nil {
		return err
	}
	if wrapped.Entity != nil {
		*u = uid(*wrapped.Entity)
		return nil
	}
	return json.Unmarshal(text, (*plain)(u))
}

type entity struct {
	UID     uid
	Attrs   map[string]any
	Parents []uid
}

// The same with "Type::id" for entities.
func plain(value any) any {
	switch value := value.(type) {
	case []any:
		for i := range value {
			value[i] = plain(value[i])
		}
	case map[string]any:
		if named, ok := value["__entity"].(map[string]any); ok {
			return named["type"].(string) + "::" + named["id"].(string)
		}
		for name := range value {
			value[name] = plain(value[name])
		}
	}
	return value
}

func addAncestors(into map[string]any, parents map[string][]string, of string) {
	for _, parent := range parents[of] {
		if _, ok := into[parent]; !ok {
			into[parent] = true
			addAncestors(into, parents, parent)
		}
	}
}

func dataOf(peer protocol.Peer, app, name string) map[string]any {
	var listed []entity
	parents := map[string][]string{}
	entities, ancestors := map[string]any{}, map[string]any{}
	peer.ReadJSON(&listed, "workloads", app, name, "entities.json")
	for _, one := range listed {
		key := one.UID.key()
		entities[key] = plain(one.Attrs)
		parents[key] = nil
		for _, parent := range one.Parents {
			parents[key] = append(parents[key], parent.key())
		}
	}
	for id, groups := range peer.Actions(app) {
		key := uid{"Action", id}.key()
		parents[key] = nil
		for _, group := range groups {
			parents[key] = append(parents[key], uid{"Action", group}.key())
		}
	}
	for key := range parents {
		found := map[string]any{}
		addAncestors(found, parents, key)
		ancestors[key] = found
	}
	return map[string]any{"entities": entities, "ancestors": ancestors}
}

func inputOf(texts *protocol.Request) ast.Value {
	return ast.NewObject(
		[2]*ast.Term{ast.StringTerm("principal"), ast.StringTerm(texts[0] + "::" + texts[1])},
		[2]*ast.Term{ast.StringTerm("action"), ast.StringTerm("Action::" + texts[2])},
		[2]*ast.Term{ast.StringTerm("resource"), ast.StringTerm(texts[3] + "::" + texts[4])})
}

func open(peer protocol.Peer, app, name string) func(*protocol.Request) rego.ResultSet {
	ctx := context.Background()
	module, err := policies.ReadFile(app + ".rego")
	protocol.Must(err)
	store := inmem.NewFromObjectWithOpts(dataOf(peer, app, name),
		inmem.OptReturnASTValuesOnRead(true))
	query, err := rego.New(rego.Query("data."+app+".reasons"), rego.Store(store),
		rego.Module(app+".rego", string(module))).PrepareForEval(ctx)
	protocol.Must(err)
	return func(texts *protocol.Request) rego.ResultSet {
		results, err := query.Eval(ctx, rego.EvalParsedInput(inputOf(texts)))
		protocol.Must(err)
		return results
	}
}

func answer(results rego.ResultSet) (out protocol.Answer) {
	for _, reason := range results[0].Expressions[0].Value.([]any) {
		out.Reasons = append(out.Reasons, reason.(string))
	}
	out.Allow = len(out.Reasons) > 0
	return out
}

func main() {
	peer := protocol.Open("opa", "github.com/open-policy-agent/opa")
	peer.Remark("what is timed", "note", "policies ported by hand, ancestors computed before")
	for _, app := range peer.NamesBelow("workloads") {
		if _, err := policies.Open(app + ".rego"); err != nil {
			peer.Remark(app, "skipped", "not ported")
			continue
		}
		protocol.RunApp(peer, app, func(app, name string) func(*protocol.Request) rego.ResultSet {
			return open(peer, app, name)
		}, answer)
	}
}
