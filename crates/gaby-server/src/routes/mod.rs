//! The one table of routes. Router, permissions and the OpenAPI document all come from it: a
//! handler that is not in the table cannot be reached, and a row without a permission does not
//! compile.

pub(crate) mod actions;
pub(crate) mod audit;
pub(crate) mod connectors;
pub(crate) mod consents;
pub(crate) mod document;
pub(crate) mod events;
pub(crate) mod investigations;
pub(crate) mod knowledge;
pub(crate) mod links;
pub(crate) mod llm;
pub(crate) mod llm_settings;
pub(crate) mod patterns;
pub(crate) mod playbooks;
pub(crate) mod policies;
pub(crate) mod redaction;
pub(crate) mod session;
pub(crate) mod setup;
pub(crate) mod shadow;
pub(crate) mod status;
pub(crate) mod tickets;
pub(crate) mod tokens;
pub(crate) mod users;

use axum::Router;
use axum::middleware::from_fn_with_state;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{InfoBuilder, OpenApi, OpenApiBuilder};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter, UtoipaMethodRouterExt as _};
use utoipa_axum::routes;

use crate::app::App;
use crate::auth::caller::enforce;
use crate::permission::Permission;

/// One row of the table.
struct Row {
    permission: Permission,
    route: UtoipaMethodRouter<App>,
}

/// Every route of the server and who may use it.
fn table() -> Vec<Row> {
    use Permission::{
        Administer, Anyone, Decide, GrantTokens, HandIn, ManagePeople, Read, SignedIn,
    };
    macro_rules! table {
        ($($permission:ident $handler:path;)+) => {
            vec![$(Row { permission: $permission, route: routes!($handler) }),+]
        };
    }
    table! {
        Anyone       status::healthz;
        Anyone       status::metrics;
        Anyone       document::openapi_document;
        Anyone       setup::setup_state;
        Anyone       setup::set_up;
        Anyone       session::sign_in;
        SignedIn     session::current_session;
        SignedIn     session::sign_out;
        Read         tickets::list_tickets;
        HandIn       tickets::create_ticket;
        Read         tickets::get_ticket;
        HandIn       tickets::add_message;
        HandIn       tickets::set_ticket_state;
        HandIn       tickets::investigate_again;
        Read         investigations::get_investigation;
        Read         llm::list_llm_calls;
        Read         llm::get_llm_call;
        Administer   llm_settings::get_llm_settings;
        Administer   llm_settings::set_llm_settings;
        Administer   llm_settings::reset_llm_settings;
        Administer   llm_settings::try_llm;
        Read         actions::list_actions;
        Read         actions::get_action;
        Decide       actions::approve_action;
        Decide       actions::reject_action;
        Decide       actions::edit_action;
        Decide       actions::undo_action;
        Decide       patterns::allow_like;
        Read         patterns::list_patterns;
        Decide       patterns::end_pattern;
        Decide       links::make_link;
        Decide       links::follow_link;
        Read         knowledge::search;
        Read         knowledge::list_sources;
        Read         knowledge::list_documents;
        Read         knowledge::get_document;
        Read         connectors::list_connectors;
        Administer   connectors::set_autonomy;
        Administer   connectors::test_connector;
        Administer   consents::set_scope;
        Administer   consents::revoke_connector;
        Read         consents::list_consents;
        Read         consents::list_consents_of;
        Read         shadow::shadow_report;
        Read         playbooks::list_playbooks;
        Read         policies::list_policies;
        Administer   policies::put_policy;
        Administer   policies::remove_policy;
        Read         policies::check_policy;
        Read         redaction::get_redaction;
        Administer   redaction::set_redaction;
        Administer   redaction::try_redaction;
        Read         audit::list_audit;
        Read         audit::verify_audit;
        Read         audit::audit_checkpoint;
        ManagePeople users::list_users;
        ManagePeople users::create_user;
        GrantTokens  tokens::list_tokens;
        GrantTokens  tokens::create_token;
        GrantTokens  tokens::revoke_token;
        Read         status::get_status;
        Read         events::follow_events;
    }
}

/// The router of every route, each behind its permission.
pub(crate) fn router(app: &App) -> Router {
    let mut router = OpenApiRouter::new();
    for row in table() {
        let check = from_fn_with_state((app.clone(), row.permission), enforce);
        router = router.routes(row.route.map(|method| method.layer(check)));
    }
    let (router, _) = router.split_for_parts();
    router.with_state(app.clone())
}

/// One route as the table has it, for tests and tools that walk over all of them.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The HTTP method.
    pub method: &'static str,
    /// The path, with its variable parts in braces.
    pub path: String,
    /// Who may use it, in words.
    pub permission: &'static str,
}

/// What the table holds.
#[must_use]
pub fn listed() -> Vec<Listed> {
    table()
        .into_iter()
        .flat_map(|row| {
            let permission = row.permission.describe();
            row.route.1.paths.into_iter().flat_map(move |(path, item)| {
                operations(&item)
                    .map(|(method, _)| Listed {
                        method,
                        path: path.clone(),
                        permission,
                    })
                    .collect::<Vec<_>>()
            })
        })
        .collect()
}

fn operations(item: &PathItem) -> impl Iterator<Item = (&'static str, &Operation)> {
    [
        ("GET", &item.get),
        ("POST", &item.post),
        ("PUT", &item.put),
        ("PATCH", &item.patch),
        ("DELETE", &item.delete),
    ]
    .into_iter()
    .filter_map(|(method, operation)| operation.as_ref().map(|operation| (method, operation)))
}

/// The API's description, with who may use each route.
#[must_use]
pub fn openapi() -> OpenApi {
    let mut router = OpenApiRouter::with_openapi(head());
    for row in table() {
        router = router.routes(documented(row).route);
    }
    router.into_openapi()
}

fn head() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Gaby")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "The workspace of a request is named by the header `X-Gaby-Workspace` or the query \
             parameter `workspace`; without either it is the only or first one. Calls that change \
             something and are signed in by cookie carry `X-Gaby-CSRF`; programs send an API token \
             as `Authorization: Bearer gaby_…` instead.",
        ))
        .build();
    let mut api = OpenApiBuilder::new().info(info).build();
    let components = api.components.get_or_insert_default();
    components.add_security_scheme(
        "session",
        SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("__Host-gaby"))),
    );
    components.add_security_scheme(
        "token",
        SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)),
    );
    api
}

/// Writes the row's permission into its documentation.
fn documented(mut row: Row) -> Row {
    let permission = row.permission;
    for item in row.route.1.paths.values_mut() {
        for operation in [
            &mut item.get,
            &mut item.post,
            &mut item.put,
            &mut item.patch,
            &mut item.delete,
        ]
        .into_iter()
        .flatten()
        {
            operation.extensions = Some(
                ExtensionsBuilder::new()
                    .add("x-permission", permission.describe())
                    .build(),
            );
            operation.security = Some(
                permission
                    .schemes()
                    .iter()
                    .map(|scheme| SecurityRequirement::new(*scheme, Vec::<String>::new()))
                    .collect(),
            );
        }
    }
    row
}
