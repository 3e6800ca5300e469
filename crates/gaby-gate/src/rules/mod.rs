//! The operator's rules, in Cedar: what may happen at all, what may not, and what is for a human.
//!
//! `permit` lets a call through as far as everything else lets it; `forbid` denies it; a `forbid`
//! with the annotation `@escalate("why")` leaves it to a human. What no rule permits is denied, a
//! rule that denies beats one that permits, and a rule that cannot be evaluated denies. A workspace's
//! own rules narrow only: its permits count for nothing where no other rule permits. Rules are parsed
//! and checked once, against a schema made from the connected tools.

pub mod check;
pub mod files;
mod index;
pub mod place;
mod request;
mod schema;
pub mod words;

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{
    ActionConstraint, Authorizer, Effect, Entities, EntityUid, Policy, PolicyId, PolicySet, Schema,
    ValidationMode, Validator,
};
use gaby_model::{ToolDefinition, canonical};
use serde::Serialize;
use serde_json::Value;

pub use files::{Origin, PolicyFile};
use index::Index;
pub use place::Place;
pub use request::Question;
pub use schema::ANSWER;
use schema::ArgType;

/// Rules that were parsed and checked, ready to be asked.
pub struct Rules {
    authorizer: Authorizer,
    /// Permits but those of a workspace, and forbids that deny.
    strict: Index,
    /// Forbids that ask a human; evaluated by themselves, so that they never count as a permit.
    escalations: Index,
    entities: Entities,
    tools: BTreeMap<String, Known>,
    rules: BTreeMap<PolicyId, Rule>,
    unused: Vec<Rule>,
    hash: String,
}

/// A connected tool, as rules see it.
struct Known {
    arguments: ArgType,
    /// The groups that its action belongs to.
    groups: Vec<EntityUid>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// Its `@id`, or its place in its file.
    pub name: String,
    /// The file that it stands in.
    pub file: String,
    /// Whose file that is.
    pub origin: Origin,
    /// What it does.
    pub effect: RuleEffect,
    /// What its annotation says, for people.
    pub why: String,
    /// Its text.
    pub text: String,
    /// The same as Cedar's JSON; null when it has none.
    #[serde(skip)]
    pub parsed: Value,
}

/// What a rule does when it applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleEffect {
    /// It lets through.
    Permit,
    /// It denies.
    Forbid,
    /// It asks a human.
    Escalate,
}

/// What the rules say about a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling<'r> {
    /// Permitted by these; and these leave it to a human.
    Permitted {
        /// Rules that permit.
        by: Vec<&'r Rule>,
        /// Rules that leave it to a human.
        escalated: Vec<&'r Rule>,
    },
    /// Forbidden by these.
    Forbidden(Vec<&'r Rule>),
    /// No rule permits it.
    NotPermitted,
    /// The rules cannot be evaluated, which denies.
    Failed(String),
}

/// Why rules were not taken on.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// A file is not Cedar.
    #[error("`{file}` cannot be read as policies: {}{why}", place::said(*.at))]
    Syntax {
        /// The file.
        file: String,
        /// Where.
        at: Option<Place>,
        /// What the parser says.
        why: String,
    },
    /// A rule names what no connector offers in this way.
    #[error("`{rule}` in `{file}` does not fit the connected tools: {}{why}", place::said(*.at))]
    Unfit {
        /// The rule.
        rule: String,
        /// The file.
        file: String,
        /// Where.
        at: Option<Place>,
        /// What the validator says.
        why: String,
    },
    /// Two rules have one name.
    #[error("two rules in `{file}` are called `{rule}`: give each its own `@id`")]
    Twice {
        /// The rule.
        rule: String,
        /// The file.
        file: String,
    },
    /// The connectors' definitions make no schema.
    #[error("the connected tools make no schema for policies: {0}")]
    Schema(String),
    /// A folder or file cannot be read.
    #[error("the policies in `{path}` cannot be read: {why}")]
    Unreadable {
        /// The path.
        path: String,
        /// Why.
        why: String,
    },
}

impl std::fmt::Debug for Rules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rules({} rules, {})", self.rules.len(), self.hash)
    }
}

impl Rules {
    /// Parses rules and checks them against the connected tools. A rule that is only about tools
    /// which nobody offers cannot apply; it is set aside, and named by [`Self::unused`].
    ///
    /// # Errors
    /// When a file is not Cedar, or a rule does not fit the tools.
    pub fn compile(files: &[PolicyFile], tools: &[ToolDefinition]) -> Result<Self, RulesError> {
        let known = schema::known_actions(tools);
        let mut named = Vec::new();
        let mut rules = BTreeMap::new();
        let mut unused = Vec::new();
        let mut also = BTreeSet::new();
        for file in files {
            for (policy, rule) in parse(file)? {
                let unknown = unknown_actions(&policy, &known);
                if unknown.as_ref().is_some_and(|unknown| unknown.all) {
                    unused.push(rule);
                    continue;
                }
                also.extend(unknown.into_iter().flat_map(|unknown| unknown.names));
                if rules.insert(policy.id().clone(), rule.clone()).is_some() {
                    return Err(RulesError::Twice {
                        rule: rule.name,
                        file: rule.file,
                    });
                }
                named.push((policy, rule));
            }
        }
        let schema = Schema::from_json_value(schema::schema(tools, &also))
            .map_err(|error| RulesError::Schema(error.to_string()))?;
        let entities = schema
            .action_entities()
            .map_err(|error| RulesError::Schema(error.to_string()))?;
        let (mut strict, mut escalations) = (Index::default(), Index::default());
        let mut all = PolicySet::new();
        for (policy, rule) in named {
            let unfit = |why: String| RulesError::Unfit {
                rule: rule.name.clone(),
                file: rule.file.clone(),
                at: None,
                why,
            };
            let part = match (rule.effect, rule.origin) {
                (RuleEffect::Escalate, _) => Some(&mut escalations),
                // What the operator does not permit, no workspace does.
                (RuleEffect::Permit, Origin::Workspace) => None,
                (RuleEffect::Permit | RuleEffect::Forbid, _) => Some(&mut strict),
            };
            if let Some(part) = part {
                part.add(&policy)
                    .map_err(|error| unfit(error.to_string()))?;
            }
            all.add(policy).map_err(|error| unfit(error.to_string()))?;
        }
        let result = Validator::new(schema).validate(&all, ValidationMode::Strict);
        if let Some(error) = result.validation_errors().next() {
            let rule = rules.get(error.policy_id());
            let text = rule.and_then(|rule| {
                let found = files
                    .iter()
                    .find(|file| file.name == rule.file && file.origin == rule.origin);
                found.map(|file| file.text.as_str())
            });
            return Err(RulesError::Unfit {
                rule: rule.map_or_else(|| error.policy_id().to_string(), |rule| rule.name.clone()),
                file: rule.map(|rule| rule.file.clone()).unwrap_or_default(),
                at: text.and_then(|text| Place::of(error, text)),
                why: place::plainly(error),
            });
        }
        Ok(Self {
            authorizer: Authorizer::new(),
            strict,
            escalations,
            entities,
            tools: tools.iter().map(as_known).collect::<Result<_, _>>()?,
            rules,
            unused,
            hash: hash(files),
        })
    }

    /// Asks the rules.
    #[must_use]
    pub fn ask(&self, question: &Question<'_>) -> Ruling<'_> {
        let known = match question.call {
            None => None,
            Some((tool, _)) => match self.tools.get(&tool.to_string()) {
                Some(known) => Some(known),
                None => return Ruling::Failed(format!("the rules do not know `{tool}` yet")),
            },
        };
        let request = match question.request(known.map(|known| &known.arguments)) {
            Ok(request) => request,
            Err(why) => return Ruling::Failed(why),
        };
        let groups = known.map_or(&[][..], |known| &known.groups);
        let ask = |rules: &Index| rules.ask(&self.authorizer, &request, groups, &self.entities);
        let (strict, escalated) = (ask(&self.strict), ask(&self.escalations));
        if let Some(error) = strict.error.or(escalated.error) {
            return Ruling::Failed(error);
        }
        if !strict.forbids.is_empty() {
            return Ruling::Forbidden(self.named(&strict.forbids));
        }
        if strict.permits.is_empty() {
            return Ruling::NotPermitted;
        }
        Ruling::Permitted {
            by: self.named(&strict.permits),
            escalated: self.named(&escalated.forbids),
        }
    }

    fn named(&self, ids: &BTreeSet<PolicyId>) -> Vec<&Rule> {
        let mut rules: Vec<&Rule> = ids.iter().filter_map(|id| self.rules.get(id)).collect();
        rules.sort_by(|a, b| (&a.file, &a.name).cmp(&(&b.file, &b.name)));
        rules
    }

    /// SHA-256 over all files, in hex: what an approval is bound to.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Every rule that can apply.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.rules.values()
    }

    /// Rules about tools that nobody offers now.
    #[must_use]
    pub fn unused(&self) -> &[Rule] {
        &self.unused
    }
}

fn as_known(tool: &ToolDefinition) -> Result<(String, Known), RulesError> {
    let groups = schema::groups(tool);
    let groups = groups.iter().map(|group| request::entity("Action", group));
    let known = Known {
        arguments: ArgType::of_tool(tool),
        groups: groups
            .collect::<Result<_, _>>()
            .map_err(RulesError::Schema)?,
    };
    Ok((tool.tool.to_string(), known))
}

fn parse(file: &PolicyFile) -> Result<Vec<(Policy, Rule)>, RulesError> {
    let syntax = |why: String| RulesError::Syntax {
        file: file.name.clone(),
        at: None,
        why,
    };
    let set: PolicySet = file
        .text
        .parse()
        .map_err(|error: cedar_policy::ParseErrors| RulesError::Syntax {
            file: file.name.clone(),
            at: Place::of(&error, &file.text),
            why: place::plainly(&error),
        })?;
    if let Some(template) = set.templates().next() {
        return Err(syntax(format!(
            "`{}` is a template, and nothing fills it in",
            template.id()
        )));
    }
    let mut rules = Vec::new();
    for policy in set.policies() {
        let place = policy.id().to_string();
        let name = policy.annotation("id").map_or(place, str::to_owned);
        let escalate = policy.annotation("escalate");
        let effect = match (policy.effect(), escalate) {
            (Effect::Permit, None) => RuleEffect::Permit,
            (Effect::Forbid, None) => RuleEffect::Forbid,
            (Effect::Forbid, Some(_)) => RuleEffect::Escalate,
            (Effect::Permit, Some(_)) => {
                return Err(syntax(format!(
                    "`{name}` permits, and so cannot escalate: use forbid"
                )));
            }
        };
        let why = escalate
            .filter(|why| !why.is_empty())
            .or(policy.annotation("why"));
        let rule = Rule {
            file: file.name.clone(),
            origin: file.origin,
            effect,
            why: why.unwrap_or_default().to_owned(),
            text: policy.to_string(),
            parsed: policy.to_json().unwrap_or_default(),
            name,
        };
        let of = match file.origin {
            Origin::Workspace => "workspace/",
            Origin::BuiltIn | Origin::Operator => "",
        };
        let id = PolicyId::new(format!("{of}{}/{}", rule.file, rule.name));
        rules.push((policy.new_id(id), rule));
    }
    rules.sort_by(|(a, _), (b, _)| a.id().cmp(b.id()));
    Ok(rules)
}

struct Unknown {
    all: bool,
    names: Vec<String>,
}

/// The actions in a rule's scope that no connected tool has.
fn unknown_actions(policy: &Policy, known: &BTreeSet<String>) -> Option<Unknown> {
    let actions = match policy.action_constraint() {
        ActionConstraint::Any => return None,
        ActionConstraint::Eq(action) => vec![action],
        ActionConstraint::In(actions) => actions,
    };
    let total = actions.len();
    let names: Vec<String> = actions
        .iter()
        .map(|action| action.id().unescaped().to_owned())
        .filter(|name| !known.contains(name))
        .collect();
    (!names.is_empty()).then_some(Unknown {
        all: names.len() == total,
        names,
    })
}

fn hash(files: &[PolicyFile]) -> String {
    let mut texts: Vec<(Origin, &str, &str)> = files
        .iter()
        .map(|file| (file.origin, file.name.as_str(), file.text.as_str()))
        .collect();
    texts.sort_unstable();
    // Texts always have a canonical form.
    canonical::hash(&texts).unwrap_or_default()
}
