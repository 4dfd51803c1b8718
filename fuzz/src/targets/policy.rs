//! IAM policies and the decisions about a login.

use rdsign::Service;
use rdsign::policy::{
    ConnectResource, Decision, Policy, Variables, Wildcards, check, connect_policy, connect_sql,
    evaluate, quoted_identifier,
};
use serde_json::Value;

use super::first_line;

/// The first line has the resource, in fields that tabs separate: partition, region, account ID,
/// resource ID and user name. A partition that begins with `dsql/` is of Aurora DSQL. The second line has variables. The rest is a policy.
pub(crate) fn policy(data: &[u8]) {
    let input = String::from_utf8_lossy(data);
    let (resource, rest) = first_line(&input);
    let (variables, text) = first_line(rest);
    let mut fields = resource.splitn(5, '\t').map(str::to_owned);
    let [partition, region, account_id, resource_id, username] =
        [(); 5].map(|()| fields.next().unwrap_or_default());
    let (service, partition) = match partition.strip_prefix("dsql/") {
        Some(partition) => (Service::Dsql, partition.to_owned()),
        None => (Service::Rds, partition),
    };
    let resource = ConnectResource {
        service,
        partition,
        region,
        account_id,
        resource_id,
        username,
    };
    written_policies_allow_only_their_resource(&resource);
    identifiers_are_quoted(&resource.username);

    let variables = variables
        .split('\t')
        .filter(|variable| !variable.is_empty());
    let variables = Variables::new(service, variables).unwrap_or_default();
    let policy = match Policy::from_json_or_answer(text) {
        Ok(policy) => policy,
        Err(error) => {
            assert!(Policy::from_json(text).is_err());
            let length = error.to_string().len();
            return assert!(length < 2_000, "the message has {length} bytes");
        }
    };
    let checked = check(std::slice::from_ref(&policy), &resource, &variables);
    serde_json::from_str::<Value>(&checked.to_json(&["a"])).unwrap();
    let arn = resource.arn();
    let decide = |policies: &[Policy]| evaluate(policies, resource.action(), &arn, &variables);
    let decision = decide(std::slice::from_ref(&policy));
    assert_eq!(decision, checked.decision);

    // Neither spaces nor the order of elements decide.
    let printed = serde_json::from_str::<Value>(text.trim_start_matches('\u{feff}')).unwrap();
    let again = Policy::from_json_or_answer(&printed.to_string()).unwrap();
    assert_eq!(kind(&decide(&[again])), kind(&decision), "{printed}");

    assert_eq!(
        kind(&decide(&[policy.clone(), policy.clone()])),
        kind(&decision)
    );
    let denied = decide(&[policy.clone(), all("Deny")]);
    assert_eq!(kind(&denied), "denied", "{denied}");
    let allowed = decide(&[policy, all("Allow")]);
    assert_ne!(kind(&allowed), "not allowed", "{allowed}");
}

fn kind(decision: &Decision) -> &'static str {
    match decision {
        Decision::Allowed { .. } => "allowed",
        Decision::ExplicitlyDenied { .. } => "denied",
        Decision::NotAllowed => "not allowed",
        Decision::Undecided { .. } => "undecided",
    }
}

fn all(effect: &str) -> Policy {
    let text = format!(r#"{{"Statement":{{"Effect":"{effect}","Action":"*","Resource":"*"}}}}"#);
    Policy::from_json(&text).unwrap()
}

fn written_policies_allow_only_their_resource(resource: &ConnectResource) {
    // Policies may have variables.
    if resource.check(Wildcards::Refused).is_err() || resource.username.contains("${") {
        return;
    }
    let policy = connect_policy(std::slice::from_ref(resource));
    let policies = [Policy::from_json(&policy).unwrap()];
    let decide = |resource: &ConnectResource| {
        evaluate(
            &policies,
            resource.action(),
            &resource.arn(),
            &Variables::default(),
        )
    };
    let decision = decide(resource);
    assert!(decision.is_allowed(), "{decision}: {policy}");
    let mut other = resource.clone();
    match resource.service {
        Service::Dsql => other.resource_id.push('x'),
        _ => other.username.push('x'),
    }
    assert!(!decide(&other).is_allowed(), "{policy}");
}

fn identifiers_are_quoted(name: &str) {
    let quoted = quoted_identifier(name);
    let inside = quoted
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    match inside {
        Some(inside) => {
            assert!(!inside.replace("\"\"", "").contains('"'), "{quoted}");
            assert_eq!(inside.replace("\"\"", "\""), name);
        }
        None => assert_eq!(quoted, name),
    }
    if let Ok(sql) = connect_sql(name) {
        assert!(sql.contains(&quoted), "{sql}");
    }
}
