// What the crate jsonwebtoken makes of the tokens that `jwt-cases --write` wrote (../README.md).
//
// Usage: rust-jsonwebtoken FILE
use jsonwebtoken::{decode, Algorithm, DecodingKey, Validation};
use serde_json::{json, Value};
use std::collections::HashMap;

fn verify(token: &str, key: &Value) -> bool {
    let pem = key["pem"].as_str().unwrap().as_bytes();
    let (algorithm, parsed) = match key["alg"].as_str().unwrap() {
        "ES256" => (Algorithm::ES256, DecodingKey::from_ec_pem(pem)),
        "ES384" => (Algorithm::ES384, DecodingKey::from_ec_pem(pem)),
        "RS256" => (Algorithm::RS256, DecodingKey::from_rsa_pem(pem)),
        "PS256" => (Algorithm::PS256, DecodingKey::from_rsa_pem(pem)),
        _ => (Algorithm::EdDSA, DecodingKey::from_ed_pem(pem)),
    };
    let mut rules = Validation::new(algorithm);
    rules.set_issuer(&["https://issuer.example"]);
    rules.set_audience(&["https://aud.example"]);
    rules.sub = Some("agent:1".to_string());
    rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    rules.validate_nbf = true;
    decode::<Value>(token, &parsed.unwrap(), &rules).is_ok()
}

fn verdict(token: &str, key: &Value) -> &'static str {
    match std::panic::catch_unwind(|| verify(token, key)) {
        Ok(true) => "takes",
        Ok(false) => "refuses",
        Err(_) => "crashes",
    }
}

fn main() {
    let path = std::env::args().nth(1).expect("a file");
    let text = std::fs::read_to_string(path).expect("the cases");
    let mut keys: HashMap<String, Value> = HashMap::new();
    std::panic::set_hook(Box::new(|_| {}));
    println!("{}", json!({"library": format!("crate jsonwebtoken {}", env!("JSONWEBTOKEN")),
        "asks": ["alg", "iss", "sub", "aud", "exp", "nbf"]}));
    for line in text.lines() {
        let one: Value = serde_json::from_str(line).expect("a case");
        let name = one["key"].as_str().unwrap().to_string();
        let Some(case) = one["case"].as_str() else {
            keys.insert(name, one);
            continue;
        };
        let key = &keys[&name];
        println!("{}", json!({"case": case, "token": verdict(one["token"].as_str().unwrap(), key),
            "twin": verdict(one["twin"].as_str().unwrap(), key)}));
    }
}
