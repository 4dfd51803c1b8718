//! Recognises templates that contain a policy: of CloudFormation, SAM and Terraform. They are not
//! read, because their functions are replaced only when they are deployed.

use super::json::Json;

/// What is accepted instead of a template.
pub(super) const DEPLOYED: &str = "accepted: the JSON that IAM has after the deployment, as \
                                   `aws iam get-role-policy` or `get-policy-version` prints it";

const TERRAFORM: &str = "Terraform";
const CLOUDFORMATION: &str = "a CloudFormation template";
const CLOUDFORMATION_IN_YAML: &str = "a CloudFormation template in YAML";

/// Names the form of a text that is not JSON.
pub(super) fn of_text(text: &str) -> Option<&'static str> {
    let mut lines = text.lines().map(str::trim_end);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with(['#', '/']))?;
    let word = first.split([' ', '=', ':', '{']).next().unwrap_or_default();
    let is_block = first.ends_with('{') && !first.starts_with('{');
    match word {
        "resource" | "data" | "locals" | "module" | "variable" | "terraform" if is_block => {
            Some(TERRAFORM)
        }
        "jsonencode(" => Some(TERRAFORM),
        _ if first != "---" && !is_key(first) && !first.starts_with("- ") => None,
        _ if text.contains("Resources:") || text.contains("PolicyDocument:") => {
            Some(CLOUDFORMATION_IN_YAML)
        }
        _ => Some("YAML"),
    }
}

/// Returns whether a line is a key of YAML, with or without its value.
fn is_key(line: &str) -> bool {
    let Some((key, value)) = line.split_once(':') else {
        return false;
    };
    let is_letter = |c: char| c.is_ascii_alphanumeric() || "_-\"'".contains(c);
    !key.is_empty() && key.chars().all(is_letter) && (value.is_empty() || value.starts_with(' '))
}

/// Names the template that an object of JSON is.
pub(super) fn of_json(json: &Json) -> Option<&'static str> {
    let Json::Object(entries) = json else {
        return None;
    };
    let template = |(name, value): &(String, Json)| match (name.as_str(), value) {
        ("AWSTemplateFormatVersion", _) | ("Resources", Json::Object(_)) => Some(CLOUDFORMATION),
        ("Properties", Json::Object(_)) => Some("a resource of CloudFormation"),
        ("terraform_version", _) | ("resource" | "data", Json::Object(_)) => Some(TERRAFORM),
        _ => None,
    };
    entries.iter().find_map(template)
}

/// Returns the function of CloudFormation that a value calls, such as `Fn::Sub`.
pub(super) fn function(json: &Json) -> Option<&str> {
    match json {
        Json::Object(entries) => entries.iter().find_map(|(name, _)| function_name(name)),
        _ => None,
    }
}

pub(super) fn function_name(name: &str) -> Option<&str> {
    (name == "Ref" || name.starts_with("Fn::")).then_some(name)
}
