//! Tests with random policies: without conditions and variables, a login is decided by the patterns
//! of actions and resources alone, and nothing that is known later contradicts an earlier decision.

#![expect(clippy::unwrap_used, reason = "a helper that panics fails its test")]

use proptest::prelude::*;
use proptest::sample::select;
use rdsign::Service;
use rdsign::policy::{Decision, Policy, Variables, evaluate};

const ACTION: &str = "rds-db:connect";

/// A statement whose actions and resources may be negated.
#[derive(Clone, Debug)]
struct Statement {
    allows: bool,
    not_action: bool,
    actions: Vec<String>,
    not_resource: bool,
    resources: Vec<String>,
    condition: &'static str,
}

impl Statement {
    fn json(&self) -> String {
        let effect = if self.allows { "Allow" } else { "Deny" };
        let action = if self.not_action {
            "NotAction"
        } else {
            "Action"
        };
        let resource = if self.not_resource {
            "NotResource"
        } else {
            "Resource"
        };
        format!(
            r#"{{"Effect":"{effect}","{action}":{:?},"{resource}":{:?},"Condition":{}}}"#,
            self.actions, self.resources, self.condition
        )
    }

    /// Decides by the definition whether the statement applies. Wildcards match colons if `plain`.
    fn applies_if(&self, resource: &str, plain: bool) -> bool {
        let any = |patterns: &[String], text: &str| {
            let mut patterns = patterns.iter();
            patterns.any(|pattern| matches(pattern.as_bytes(), text.as_bytes(), plain))
        };
        let lower: Vec<_> = self
            .actions
            .iter()
            .map(|text| text.to_lowercase())
            .collect();
        any(&lower, ACTION) != self.not_action
            && any(&self.resources, resource) != self.not_resource
    }

    /// Returns `None` if it depends on whether wildcards match colons.
    fn applies(&self, resource: &str) -> Option<bool> {
        let plain = self.applies_if(resource, true);
        (plain == self.applies_if(resource, false)).then_some(plain)
    }
}

/// Whether a pattern matches. Unless `plain`, only a `*` that ends its segment matches a colon.
fn matches(pattern: &[u8], text: &[u8], plain: bool) -> bool {
    let passes = |c: u8| c != b':' || plain;
    match (pattern, text) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => {
            let free = matches!(rest, [] | [b':', ..]);
            (0..=text.len()).any(|taken| {
                text[..taken].iter().all(|&c| free || passes(c))
                    && matches(rest, &text[taken..], plain)
            })
        }
        ([b'?', rest @ ..], [c, after @ ..]) => passes(*c) && matches(rest, after, plain),
        ([p, rest @ ..], [c, after @ ..]) => p == c && matches(rest, after, plain),
        _ => false,
    }
}

fn decide(statements: &[Statement], resource: &str, variables: &[&str]) -> Decision {
    let all: Vec<_> = statements.iter().map(Statement::json).collect();
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":[{}]}}"#,
        all.join(",")
    );
    let policies = [Policy::from_json(&text).unwrap()];
    let variables = Variables::new(Service::Rds, variables.iter().copied()).unwrap();
    evaluate(&policies, ACTION, resource, &variables)
}

fn actions() -> impl Strategy<Value = Vec<String>> {
    let action = select(vec![
        "*",
        "rds-db:*",
        "rds-db:connect",
        "RDS-DB:Conn*",
        "rds-db:c?nnect",
        "rds:*",
        "s3:Get*",
    ]);
    proptest::collection::vec(action.prop_map(str::to_owned), 1..3)
}

fn resources(user: &'static str) -> impl Strategy<Value = Vec<String>> {
    let region = select(vec!["*", "us-east-1", "us-*", "?s-east-1", "us-west-1"]);
    let resource = prop_oneof![
        1 => Just("*".to_owned()),
        1 => Just("arn:aws:s3:::b".to_owned()),
        6 => (region, user).prop_map(|(region, user)| {
            format!("arn:aws:rds-db:{region}:123456789012:dbuser:{user}")
        }),
    ];
    proptest::collection::vec(resource, 1..3)
}

fn statement(
    user: &'static str,
    conditions: Vec<&'static str>,
) -> impl Strategy<Value = Statement> {
    (
        any::<bool>(),
        prop::bool::weighted(0.2),
        actions(),
        prop::bool::weighted(0.2),
        resources(user),
        select(conditions),
    )
        .prop_map(
            |(allows, not_action, actions, not_resource, resources, condition)| Statement {
                allows,
                not_action,
                actions,
                not_resource,
                resources,
                condition,
            },
        )
}

fn login() -> impl Strategy<Value = String> {
    "[ab:/]{1,4}"
        .prop_map(|user| format!("arn:aws:rds-db:us-east-1:123456789012:dbuser:db-A/{user}"))
}

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(2_000)
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn without_conditions_the_patterns_decide(
        statements in proptest::collection::vec(statement("(db-A|db-[*?]|[*]|db[?]A)[:/][ab:/*?]{0,4}", vec!["{}"]), 1..5),
        resource in login(),
    ) {
        let first = |allows, applies| {
            let found = |statement: &Statement| {
                statement.allows == allows && statement.applies(&resource) == applies
            };
            statements.iter().position(found).map(|index| index + 1)
        };
        let certain = |allows| first(allows, Some(true));
        let is_open = |allows| first(allows, None).is_some();
        let decision = decide(&statements, &resource, &[]);
        let expected = match (certain(false), certain(true)) {
            (Some(deny), _) => format!("denied by policy 1, Statement {deny}"),
            (None, Some(allow)) if !is_open(false) => {
                format!("allowed by policy 1, Statement {allow}")
            }
            (None, None) if !is_open(true) => "not allowed by any statement".to_owned(),
            _ => {
                prop_assert!(matches!(decision, Decision::Undecided { .. }), "{}", decision);
                return Ok(());
            }
        };
        prop_assert_eq!(decision.to_string(), expected);
    }

    #[test]
    fn a_value_never_changes_a_decision_that_was_made_without_it(
        statements in proptest::collection::vec(
            statement("(db-A|[*])/[ab*]{0,2}([$][{]aws:username[}])?[ab*]{0,2}", vec![
                "{}",
                r#"{"StringEquals":{"aws:username":["a","b:"]}}"#,
                r#"{"StringNotLike":{"aws:username":"a*"}}"#,
            ]),
            1..4,
        ),
        resource in login(),
        username in "[ab:/]{1,3}",
    ) {
        let variable = format!("aws:username={username}");
        let known = decide(&statements, &resource, &[&variable]);
        if let Decision::Undecided { allows, denies, .. } = &known {
            let mut open = allows.iter().chain(denies).flat_map(|open| &open.requirements);
            prop_assert!(open.all(|open| open.id() == "wildcard-colon"), "{}", known);
        }
        match decide(&statements, &resource, &[]) {
            Decision::Undecided { .. } => {}
            decided => prop_assert_eq!(decided.is_allowed(), known.is_allowed()),
        }
    }
}
