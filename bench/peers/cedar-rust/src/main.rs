//! The crate cedar-policy as a peer of build/bench/cedar.  Usage: cedar-rust FOLDER
//!
//! The protocol is in bench/peers/README.md.  Timed: uids from texts (type names were
//! parsed before), the request around a context made before, is_authorized.
use cedar_policy::*;
use std::collections::HashMap;
use std::error::Error;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Instant;

const ROUNDS: usize = 3;
const BATCH_MAX: usize = 64;
const BATCH_NS: f64 = 100_000.0;
const LOADS: usize = 9;
/// Of an app whose first call is slower than SLOW_NS, one request in SLOW_STEP is timed.
const SLOW_NS: f64 = 1_000_000.0;
const SLOW_STEP: usize = 25;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

struct Asked {
    principal: (EntityTypeName, String),
    action: (EntityTypeName, String),
    resource: (EntityTypeName, String),
}

struct Case {
    policies: PolicySet,
    entities: Entities,
    requests: Vec<Asked>,
    expected: serde_json::Value,
}

fn read(path: PathBuf) -> Result<String> {
    std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()).into())
}

fn read_json(path: PathBuf) -> Result<serde_json::Value> {
    Ok(serde_json::from_str(&read(path)?)?)
}

fn names_below(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// The place in the text is in the id that counting gave: "policy12".
fn place(id: &str) -> usize {
    id.trim_start_matches("policy").parse().unwrap_or(0)
}

fn uid_of(value: &serde_json::Value) -> Result<EntityUid> {
    let text = |name: &str| value[name].as_str().ok_or("a link without type or id");
    Ok(EntityUid::from_type_name_and_id(
        EntityTypeName::from_str(text("type")?)?,
        EntityId::new(text("id")?),
    ))
}

fn link_all(set: &mut PolicySet, links: &serde_json::Value) -> Result<()> {
    for link in links.as_array().ok_or("links")? {
        let mut values = HashMap::new();
        for (name, slot) in [("?principal", SlotId::principal()), ("?resource", SlotId::resource())]
        {
            if let Some(value) = link["values"].get(name) {
                values.insert(slot, uid_of(value)?);
            }
        }
        let id = |name: &str| PolicyId::new(link[name].as_str().unwrap_or_default());
        set.link(id("templateId"), id("newId"), values)?;
    }
    Ok(())
}

/// Templates are named by their @id, other policies of such a set "static0", ...
fn with_links(parsed: &PolicySet, links: &serde_json::Value) -> Result<PolicySet> {
    let mut set = PolicySet::new();
    let mut statics: Vec<&Policy> = parsed.policies().collect();
    statics.sort_by_key(|policy| place(policy.id().as_ref()));
    for (i, policy) in statics.iter().enumerate() {
        set.add(policy.new_id(PolicyId::new(format!("static{i}"))))?;
    }
    for template in parsed.templates() {
        let id = template.annotation("id").ok_or("a template without @id")?;
        set.add_template(template.new_id(PolicyId::new(id)))?;
    }
    link_all(&mut set, links)?;
    Ok(set)
}

fn read_requests(path: PathBuf) -> Result<Vec<Asked>> {
    let mut requests = Vec::new();
    for row in read_json(path)?.as_array().ok_or("requests")? {
        let text = |i: usize| row[i].as_str().unwrap_or_default().to_owned();
        requests.push(Asked {
            principal: (EntityTypeName::from_str(&text(0))?, text(1)),
            action: (EntityTypeName::from_str("Action")?, text(2)),
            resource: (EntityTypeName::from_str(&text(3))?, text(4)),
        });
    }
    Ok(requests)
}

fn open(root: &Path, app: &str, name: &str) -> Result<Case> {
    let folder = root.join("workloads").join(app).join(name);
    let about = root.join("apps").join(app);
    let parsed = PolicySet::from_str(&read(about.join("policies.cedar"))?)?;
    let schema = Schema::from_json_str(&read(about.join(format!("{app}.cedarschema.json")))?)?;
    let entities = Entities::from_json_str(&read(folder.join("entities.json"))?, None)?;
    let policies = match folder.join("links.json") {
        path if path.exists() => with_links(&parsed, &read_json(path)?)?,
        _ => parsed,
    };
    Ok(Case {
        policies,
        entities: entities.add_entities(schema.action_entities()?, None)?,
        requests: read_requests(folder.join("requests.json"))?,
        expected: read_json(folder.join("expected.json"))?,
    })
}

fn uid((name, id): &(EntityTypeName, String)) -> EntityUid {
    EntityUid::from_type_name_and_id(name.clone(), EntityId::new(id))
}

fn request(asked: &Asked, context: &Context) -> Request {
    let (principal, action) = (uid(&asked.principal), uid(&asked.action));
    Request::new(principal, action, uid(&asked.resource), context.clone(), None)
        .expect("no schema, nothing to refuse")
}

fn check(case: &Case, authorizer: &Authorizer, context: &Context) -> Result<()> {
    for (i, asked) in case.requests.iter().enumerate() {
        let response =
            authorizer.is_authorized(&request(asked, context), &case.policies, &case.entities);
        let mut reasons: Vec<String> =
            response.diagnostics().reason().map(|id| id.to_string()).collect();
        reasons.sort();
        let allow = i32::from(response.decision() == Decision::Allow);
        let errors = response.diagnostics().errors().count();
        let expected = &case.expected[i];
        if serde_json::json!([allow, reasons]) != serde_json::json!([expected[0], expected[1]])
            || Some(errors) != expected[2].as_array().map(Vec::len)
        {
            return Err(format!("request {i}: not the expected answer").into());
        }
    }
    Ok(())
}

/// Nanoseconds of one call; answers are dropped after the clock stopped.
fn time_calls(answers: &mut Vec<Response>, count: usize, mut call: impl FnMut() -> Response) -> f64 {
    answers.clear();
    let begun = Instant::now();
    for _ in 0..count {
        answers.push(black_box(call()));
    }
    begun.elapsed().as_nanos() as f64 / count as f64
}

fn time_best(answers: &mut Vec<Response>, count: usize, mut call: impl FnMut() -> Response) -> f64 {
    (0..ROUNDS).map(|_| time_calls(answers, count, &mut call)).fold(f64::MAX, f64::min)
}

fn time_request(answers: &mut Vec<Response>, mut call: impl FnMut() -> Response) -> f64 {
    let batch = (BATCH_NS / time_best(answers, 1, &mut call)) as usize;
    time_best(answers, batch.clamp(1, BATCH_MAX), call)
}

fn quantile(times: &mut [f64], percent: usize) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() * percent / 100]
}

fn print(title: &str, p50: &mut [f64], p99: &mut [f64]) {
    println!(
        "{{\"peer\":\"cedar-policy {} (Rust, release)\",\"case\":\"{title}\",\"p50_ns\":{:.0},\
         \"p99_ns\":{:.0}}}",
        get_sdk_version(),
        quantile(p50, 50),
        quantile(p99, 50)
    );
}

/// The medians over an app's workloads: from texts, and with the request built before.
fn run_app(root: &Path, app: &str) -> Result<()> {
    let (authorizer, context) = (Authorizer::new(), Context::empty());
    let mut answers = Vec::with_capacity(BATCH_MAX);
    let mut figures = [const { (Vec::new(), Vec::new()) }; 2];
    for name in names_below(&root.join("workloads").join(app))? {
        let case = open(root, app, &name)?;
        check(&case, &authorizer, &context).map_err(|e| format!("{app} {name}: {e}"))?;
        let (mut whole, mut built) = (Vec::new(), Vec::new());
        let decide = |r: &Request| authorizer.is_authorized(r, &case.policies, &case.entities);
        let first = request(&case.requests[0], &context);
        let is_slow = time_best(&mut answers, 1, || decide(&first)) > SLOW_NS;
        for asked in case.requests.iter().step_by(if is_slow { SLOW_STEP } else { 1 }) {
            whole.push(time_request(&mut answers, || decide(&request(asked, &context))));
            let before = request(asked, &context);
            built.push(time_request(&mut answers, || decide(&before)));
        }
        for (figures, times) in figures.iter_mut().zip([&mut whole, &mut built]) {
            figures.0.push(quantile(times, 50));
            figures.1.push(quantile(times, 99));
        }
    }
    let [(p50, p99), (built_p50, built_p99)] = &mut figures;
    print(app, p50, p99);
    print(&format!("{app}, request built before"), built_p50, built_p99);
    Ok(())
}

/// The last workload in order of name is the largest.
fn run_loading(root: &Path, app: &str) -> Result<()> {
    let folder = root.join("workloads").join(app);
    let name = names_below(&folder)?.pop().ok_or("no workload")?;
    let json = read(folder.join(name).join("entities.json"))?;
    let mut times = Vec::new();
    for _ in 0..LOADS {
        let begun = Instant::now();
        let loaded = Entities::from_json_str(black_box(&json), None)?;
        times.push(begun.elapsed().as_nanos() as f64);
        black_box(loaded);
    }
    let worst = quantile(&mut times, 99);
    print(&format!("load entities JSON, {app}"), &mut times, &mut [worst]);
    Ok(())
}

fn main() -> Result<()> {
    let folder = std::env::args().nth(1).ok_or("usage: cedar-rust FOLDER")?;
    let root = Path::new(&folder);
    for app in names_below(&root.join("workloads"))? {
        run_app(root, &app)?;
        run_loading(root, &app)?;
    }
    Ok(())
}
