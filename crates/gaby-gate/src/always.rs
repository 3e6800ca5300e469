//! Changes that always need a human, whatever the configuration: money, deletion for good, rights
//! and credentials, multi-factor authentication, the address that proves who somebody is.
//!
//! A manifest declares the kind. A second net looks at the names of the tool and its arguments, so
//! that a manifest that forgot to say so is no way around. A name that raises a false alarm costs
//! one approval.

use std::collections::BTreeSet;

use gaby_model::tool::AlwaysHuman;
use gaby_model::{ArgumentRole, Reversibility, ToolDefinition};
use serde_json::Value;

/// Every kind of change that a call of this write is, of those that always need a human.
#[must_use]
pub fn kinds(tool: &ToolDefinition, arguments: &Value) -> Vec<AlwaysHuman> {
    let mut kinds = Vec::new();
    let mut add = |kind| {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    };
    tool.always_human.into_iter().for_each(&mut add);
    let role = tool.role.as_deref().unwrap_or_default();
    by_words(
        &words(&format!("{} {role}", tool.tool.tool)),
        tool.reversibility,
    )
    .into_iter()
    .for_each(&mut add);
    let names = arguments
        .as_object()
        .into_iter()
        .flat_map(|fields| fields.keys());
    for name in names {
        let target = tool.arguments.get(name) == Some(&ArgumentRole::Target);
        if !target && let Some(kind) = by_argument(&words(name)) {
            add(kind);
        }
    }
    kinds
}

fn by_words(words: &BTreeSet<String>, reversibility: Reversibility) -> Vec<AlwaysHuman> {
    let any = |of: &[&str]| of.iter().any(|word| words.contains(*word));
    let changes = any(&[
        "change", "update", "set", "replace", "edit", "modify", "switch", "assign", "add",
        "create", "issue", "generate", "rotate", "mint", "grant", "give", "put", "patch",
    ]);
    let mut kinds = Vec::new();
    let money = any(&[
        "refund",
        "refunds",
        "payout",
        "payouts",
        "pay",
        "charge",
        "reimburse",
        "withdraw",
        "withdrawal",
        "disburse",
        "credit",
        "debit",
        "deposit",
    ]) || any(&["transfer", "send", "move", "wire"])
        && any(&["funds", "money", "balance", "payment", "cash"]);
    if money {
        kinds.push(AlwaysHuman::Money);
    }
    let deletes = any(&[
        "delete",
        "destroy",
        "purge",
        "erase",
        "wipe",
        "drop",
        "truncate",
        "shred",
        "terminate",
    ]);
    if deletes && reversibility == Reversibility::Irreversible {
        kinds.push(AlwaysHuman::Deletion);
    }
    let rights = any(&[
        "promote",
        "elevate",
        "sudo",
        "superuser",
        "impersonate",
        "admin",
        "administrator",
        "privilege",
        "privileges",
        "permission",
        "permissions",
        "entitlement",
        "credential",
        "credentials",
        "grant",
    ]) || changes
        && any(&[
            "role", "roles", "group", "groups", "password", "key", "keys", "token", "tokens",
            "secret", "secrets", "scope", "scopes", "policy", "acl", "owner",
        ]);
    if rights {
        kinds.push(AlwaysHuman::Privilege);
    }
    if any(&[
        "mfa",
        "2fa",
        "totp",
        "otp",
        "authenticator",
        "passkey",
        "webauthn",
        "factor",
    ]) {
        kinds.push(AlwaysHuman::Mfa);
    }
    if changes && any(&["email", "mail", "emails"]) && !any(&["send", "note", "draft"]) {
        kinds.push(AlwaysHuman::EmailAddress);
    }
    kinds
}

fn by_argument(words: &BTreeSet<String>) -> Option<AlwaysHuman> {
    let any = |of: &[&str]| of.iter().any(|word| words.contains(*word));
    if any(&["amount", "refund", "balance", "price", "cents"]) {
        return Some(AlwaysHuman::Money);
    }
    if any(&["mfa", "2fa", "totp", "otp", "passkey"]) {
        return Some(AlwaysHuman::Mfa);
    }
    if any(&["email", "mail"]) {
        return Some(AlwaysHuman::EmailAddress);
    }
    any(&[
        "role",
        "roles",
        "admin",
        "permission",
        "permissions",
        "privilege",
        "privileges",
        "password",
        "scopes",
        "groups",
        "superuser",
    ])
    .then_some(AlwaysHuman::Privilege)
}

/// The words of a name, in small letters: `resetMFA_for-user` has reset, mfa, for, user.
pub(crate) fn words(name: &str) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    let mut word = String::new();
    let mut before = ' ';
    for c in name.chars() {
        let begins = c.is_uppercase() && before.is_lowercase();
        if (!c.is_alphanumeric() || begins) && !word.is_empty() {
            words.insert(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    if !word.is_empty() {
        words.insert(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::tool;
    use gaby_model::Access;
    use serde_json::json;

    fn of(name: &str, arguments: &Value) -> Vec<AlwaysHuman> {
        let mut tool = tool("crm", name, Access::Write);
        tool.reversibility = Reversibility::Irreversible;
        tool.arguments
            .insert("target_email".to_owned(), ArgumentRole::Target);
        kinds(&tool, arguments)
    }

    #[test]
    fn a_manifest_that_forgot_to_say_so_is_no_way_around() {
        for (name, kind) in [
            ("refund_order", AlwaysHuman::Money),
            ("sendPayment", AlwaysHuman::Money),
            ("delete_account", AlwaysHuman::Deletion),
            ("grant_access", AlwaysHuman::Privilege),
            ("add_user_to_group", AlwaysHuman::Privilege),
            ("create_api_key", AlwaysHuman::Privilege),
            ("set_password", AlwaysHuman::Privilege),
            ("resetMFA", AlwaysHuman::Mfa),
            ("disable-2fa", AlwaysHuman::Mfa),
            ("change_email", AlwaysHuman::EmailAddress),
        ] {
            assert!(of(name, &json!({})).contains(&kind), "{name}");
        }
        for (arguments, kind) in [
            (
                json!({"customer": 1, "email": "x"}),
                AlwaysHuman::EmailAddress,
            ),
            (json!({"newEmail": "x"}), AlwaysHuman::EmailAddress),
            (json!({"is_admin": true}), AlwaysHuman::Privilege),
            (json!({"amount_cents": 5}), AlwaysHuman::Money),
        ] {
            assert_eq!(of("update_customer", &arguments), [kind], "{arguments}");
        }
    }

    #[test]
    fn ordinary_changes_are_not_held_up() {
        for name in [
            "unlock_account",
            "send_password_reset",
            "restart_pod",
            "add_note",
            "retry_import",
            "resend_invoice_email",
            "extend_trial",
        ] {
            assert_eq!(of(name, &json!({"target_email": "x"})), [], "{name}");
        }
    }

    #[test]
    fn a_deletion_that_can_be_taken_back_is_not_for_good() {
        let bin = tool("crm", "delete_draft", Access::Write);
        assert_eq!(kinds(&bin, &json!({})), []);
    }
}
