//! Rules by their scopes, so that a call is held against those only that can be about it.
//!
//! A rule whose scope names another requester, action or workspace says nothing about a call and
//! cannot fail on it either: Cedar looks at the scope first. So leaving it out changes no ruling.

use std::collections::{BTreeSet, HashMap};

use cedar_policy::{
    ActionConstraint, Authorizer, Decision, Entities, EntityUid, Policy, PolicyId, PolicySet,
    PolicySetError, PrincipalConstraint, Request, ResourceConstraint,
};

/// What a rule's scope asks for; none is any.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Scope {
    principal: Option<EntityUid>,
    action: Option<EntityUid>,
    resource: Option<EntityUid>,
}

/// Rules by scope.
#[derive(Default)]
pub(super) struct Index(HashMap<Scope, PolicySet>);

/// What the rules said.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// Those that permit; not all of them where one forbids.
    pub(super) permits: BTreeSet<PolicyId>,
    pub(super) forbids: BTreeSet<PolicyId>,
    /// What could not be evaluated.
    pub(super) error: Option<String>,
}

impl Index {
    pub(super) fn add(&mut self, policy: &Policy) -> Result<(), Box<PolicySetError>> {
        let principal = match policy.principal_constraint() {
            PrincipalConstraint::Eq(one) => Some(one),
            _ => None,
        };
        let resource = match policy.resource_constraint() {
            ResourceConstraint::Eq(one) => Some(one),
            _ => None,
        };
        // One that names several actions stands with each of them.
        let actions = match policy.action_constraint() {
            ActionConstraint::Any => vec![None],
            ActionConstraint::Eq(one) => vec![Some(one)],
            ActionConstraint::In(several) => several.into_iter().map(Some).collect(),
        };
        let actions: BTreeSet<Option<EntityUid>> = actions.into_iter().collect();
        for action in actions {
            let scope = Scope {
                principal: principal.clone(),
                action,
                resource: resource.clone(),
            };
            self.0.entry(scope).or_default().add(policy.clone())?;
        }
        Ok(())
    }

    /// Asks every rule that can be about this. `groups` are those that its action belongs to.
    pub(super) fn ask(
        &self,
        authorizer: &Authorizer,
        request: &Request,
        groups: &[EntityUid],
        entities: &Entities,
    ) -> Said {
        let mut said = Said::default();
        let actions = [None, request.action()];
        let actions = actions.into_iter().chain(groups.iter().map(Some));
        for action in actions {
            for principal in [None, request.principal()] {
                for resource in [None, request.resource()] {
                    let scope = Scope {
                        principal: principal.cloned(),
                        action: action.cloned(),
                        resource: resource.cloned(),
                    };
                    if let Some(rules) = self.0.get(&scope) {
                        said.add(&authorizer.is_authorized(request, rules, entities));
                    }
                }
            }
        }
        said
    }
}

impl Said {
    fn add(&mut self, response: &cedar_policy::Response) {
        let reasons = response.diagnostics().reason().cloned();
        match response.decision() {
            Decision::Allow => self.permits.extend(reasons),
            Decision::Deny => self.forbids.extend(reasons),
        }
        // Cedar leaves out a rule that it cannot evaluate, and so would let through what a broken
        // `forbid` was there to stop.
        if let Some(error) = response.diagnostics().errors().next() {
            self.error.get_or_insert_with(|| error.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cedar_policy::Context;
    use proptest::prelude::*;
    use serde_json::json;

    fn uid(text: &str) -> EntityUid {
        text.parse().unwrap()
    }

    fn one_of(texts: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
        proptest::sample::select(texts)
    }

    prop_compose! {
        fn a_rule()(
            effect in one_of(&["permit", "forbid"]),
            principal in one_of(&[
                "principal", "principal == Requester::\"ada\"", "principal == Requester::\"bob\"",
                "principal in Requester::\"ada\"", "principal is Requester",
            ]),
            action in one_of(&[
                "action", "action == Action::\"read\"", "action == Action::\"find\"",
                "action == Action::\"drop\"", "action in Action::\"read\"", "action in Action::\"write\"",
                "action in [Action::\"read\", Action::\"drop\", Action::\"find\"]", "action in []",
            ]),
            resource in one_of(&[
                "resource", "resource == Workspace::\"acme\"", "resource == Workspace::\"other\"",
            ]),
            // The last of these cannot be evaluated.
            when in one_of(&["true", "false", "context.risk > 5", "context.nothing > 5"]),
        ) -> String {
            format!("{effect}({principal}, {action}, {resource}) when {{ {when} }};")
        }
    }

    proptest! {
        #[test]
        fn leaving_out_what_cannot_apply_changes_nothing(
            rules in prop::collection::vec(a_rule(), 0..12),
            action in one_of(&["Action::\"find\"", "Action::\"drop\"", "Action::\"answer\""]),
            principal in one_of(&["Requester::\"ada\"", "Requester::\"\""]),
        ) {
            let actions = json!([
                {"uid": {"type": "Action", "id": "read"}, "attrs": {}, "parents": []},
                {"uid": {"type": "Action", "id": "write"}, "attrs": {}, "parents": []},
                {"uid": {"type": "Action", "id": "find"}, "attrs": {}, "parents": [{"type": "Action", "id": "read"}]},
                {"uid": {"type": "Action", "id": "drop"}, "attrs": {}, "parents": [{"type": "Action", "id": "write"}]},
            ]);
            let entities = Entities::from_json_value(actions, None).unwrap();
            let context = Context::from_json_value(json!({"risk": 7}), None).unwrap();
            let (principal, action) = (uid(principal), uid(action));
            let request = Request::new(principal, action.clone(), uid("Workspace::\"acme\""), context, None);
            let request = request.unwrap();
            let groups: Vec<EntityUid> = entities.ancestors(&action).into_iter().flatten().cloned().collect();
            let (mut index, mut all) = (Index::default(), PolicySet::new());
            for (number, rule) in rules.iter().enumerate() {
                let policy = Policy::parse(Some(PolicyId::new(number.to_string())), rule).unwrap();
                index.add(&policy).unwrap();
                all.add(policy).unwrap();
            }

            let said = index.ask(&Authorizer::new(), &request, &groups, &entities);

            let whole = Authorizer::new().is_authorized(&request, &all, &entities);
            let reasons: BTreeSet<PolicyId> = whole.diagnostics().reason().cloned().collect();
            prop_assert_eq!(said.error.is_some(), whole.diagnostics().errors().next().is_some());
            match whole.decision() {
                Decision::Allow => {
                    prop_assert_eq!(said.permits, reasons);
                    prop_assert!(said.forbids.is_empty());
                }
                Decision::Deny => {
                    prop_assert_eq!(said.permits.is_empty() || !reasons.is_empty(), true);
                    prop_assert_eq!(said.forbids, reasons);
                }
            }
        }
    }
}
